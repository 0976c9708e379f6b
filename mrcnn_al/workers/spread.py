"""Tasks shared out among workers, any of whom may be lost."""

import threading
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

from mrcnn_al.errors import UserError

MOST_LOSSES = 3
_SECONDS_TO_END = 5.0


class WorkerLost(Exception):
    """A worker has ended, or cannot be reached any more. The message says what is known of it."""


class Worker(ABC):
    """Does one task after the other somewhere else.

    A thread waits for it in `open` and `do`; from another one, `end` makes both raise WorkerLost.
    """

    @abstractmethod
    def open(self) -> None:
        """Waits until it is ready.

        Raises:
            WorkerLost: it will not be.
            UserError: what it was given cannot be used.
        """

    @abstractmethod
    def do(self, task: str) -> Any:
        """Waits for its answer to a task.

        Raises:
            WorkerLost: there will be none.
            UserError: the task cannot be done, by nobody.
        """

    @abstractmethod
    def end(self) -> None:
        """Ends it at once, whatever it does; can be called again."""


def spread(
    tasks: Sequence[str],
    hire: Callable[[int], Worker],
    count: int,
    keep: Callable[[Any], None] = lambda answer: None,
    say: Callable[[str], None] = print,
) -> list[Any]:
    """The answers to all tasks, in their order, whoever gave them and when.

    The task of a worker who was lost is given out again, and another worker takes the place.

    Args:
        tasks: each goes to one worker.
        hire: makes a worker without waiting for it, for one of the places 0 to `count` - 1.
        count: workers at the same time, at most as many as there are tasks.
        keep: is given each answer as soon as it is there.
        say: takes lines for the user.

    Raises:
        UserError: workers say so, or `MOST_LOSSES` of them were lost with the same task.
    """
    answers: dict[int, Any] = {}
    crew = _Crew(hire, tasks)
    try:
        crew.begin(min(count, len(tasks)))
        while len(answers) < len(tasks):
            number, answer, error = crew.next_result()
            if error is None:
                answers[number] = answer
                keep(answer)
                continue
            if not isinstance(error, WorkerLost):
                raise error
            if crew.losses[number] >= MOST_LOSSES:
                raise UserError(
                    f"{MOST_LOSSES} workers one after the other were lost when they had "
                    f"{tasks[number]!r} to do; the last one: {error}\nIs there memory for so many?"
                )
            say(f"A worker was lost, its task is given to another: {error}")
    finally:
        crew.end()
    return [answers[number] for number in range(len(tasks))]


class _Crew:
    """Threads, each of which waits for a worker of its own.

    Attributes:
        losses: how often a worker was lost with each task, by number.
    """

    def __init__(self, hire: Callable[[int], Worker], tasks: Sequence[str]):
        self._hire = hire
        self._changed = threading.Condition()
        self._tasks = deque(enumerate(tasks))
        self.losses: Counter[int] = Counter()
        self._results: deque = deque()
        self._workers: dict[int, Worker] = {}
        self._threads: list[threading.Thread] = []
        self._over = False

    def begin(self, count: int) -> None:
        """Lets the work begin."""
        for place in range(count):
            thread = threading.Thread(target=self._serve, args=(place,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def next_result(self) -> tuple[int, Any, BaseException | None]:
        """Waits for the number of a task, and its answer or what went wrong."""
        with self._changed:
            self._changed.wait_for(lambda: self._results)
            return self._results.popleft()

    def end(self) -> None:
        """Ends all workers at once."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
            workers = list(self._workers.values())
        for worker in workers:
            worker.end()
        for thread in self._threads:
            thread.join(_SECONDS_TO_END)

    def _serve(self, place: int) -> None:
        ready = None
        while (given := self._next_task()) is not None:
            number, task = given
            answer = error = None
            try:
                if ready is None:
                    worker = self._hired(place)
                    worker.open()
                    ready = worker
                answer = ready.do(task)
            except BaseException as raised:
                # Told to the thread that waits for the results, whatever it is.
                error, ready = raised, None
                self._dismiss(place)
            with self._changed:
                self.losses[number] += isinstance(error, WorkerLost)
                if isinstance(error, WorkerLost) and self.losses[number] < MOST_LOSSES:
                    # The next to be done, so that what loses every worker is soon found out.
                    self._tasks.appendleft(given)
                elif error is not None:
                    self._over = True
                self._results.append((number, answer, error))
                self._changed.notify_all()

    def _next_task(self):
        with self._changed:
            self._changed.wait_for(lambda: self._tasks or self._over)
            return None if self._over else self._tasks.popleft()

    def _hired(self, place):
        with self._changed:
            if self._over:
                raise WorkerLost("all is over")
            worker = self._workers[place] = self._hire(place)
        return worker

    def _dismiss(self, place):
        with self._changed:
            worker = self._workers.pop(place, None)
        if worker is not None:
            worker.end()
