"""Times tasks in turn, so that whatever else a machine does falls on all of them alike.

A framework's threads get in the way of another's: `Side` puts each into a process of its own,
which stays and runs a task when it is asked to.
"""

import multiprocessing
import os
import statistics
import time
import traceback
from collections.abc import Callable

Times = dict[str, list[tuple[float, float]]]


def clocked(task: Callable) -> tuple[float, float]:
    """Runs a task; seconds on the clock and of the processor, all threads together."""
    begin, processor = time.perf_counter(), time.process_time()
    task()
    return time.perf_counter() - begin, time.process_time() - processor


def in_turn(tasks: dict[str, Callable], rounds: int, clock: Callable = clocked) -> Times:
    """Seconds of each task in each round, after one round that does not count."""
    times: Times = {name: [] for name in tasks}
    for count in range(rounds + 1):
        for name, task in tasks.items():
            seconds = clock(task)
            if count:
                times[name].append(seconds)
    return times


def medians(times: Times) -> dict:
    """Of each task, in seconds."""
    return {
        name: {
            "seconds": round(statistics.median(clock for clock, _ in pairs), 4),
            "processor_seconds": round(statistics.median(used for _, used in pairs), 4),
        }
        for name, pairs in times.items()
    }


def ratio(times: Times, name: str, other: str, bar: float | None = None) -> dict:
    """The median over the rounds of one task's time by another's, and what it should not exceed."""
    pairs = list(zip(times[name], times[other], strict=True))
    clock, used = (
        round(statistics.median(one[kind] / two[kind] for one, two in pairs), 3) for kind in (0, 1)
    )
    found = {"ratio": clock, "by_processor_time": used}
    return found if bar is None else {**found, "bar": bar, "met": clock <= bar}


class Side:
    """One framework, or one way to use it, in a process of its own.

    Args:
        make: a function at the top of a module: takes `settings`, returns what to say about
            itself and tasks by name.
        settings: plain values.
        environment: variables that must be there before a framework is imported.

    Attributes:
        about: what `make` said.
        tasks: their names.
    """

    def __init__(self, make: Callable, settings: dict, environment: dict[str, str]):
        context = multiprocessing.get_context("spawn")
        self._pipe, pipe = context.Pipe()
        arguments = (pipe, make, settings, environment)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        pipe.close()
        self.about, self.tasks = self._answer()

    def run(self, name: str) -> tuple[float, float]:
        """Runs a task once; see `clocked`."""
        return self._ask(("run", name))

    def result(self, name: str):
        """What a task returns."""
        return self._ask(("result", name))

    def close(self) -> None:
        """Ends the process."""
        self._pipe.send(None)
        self._process.join()

    def _ask(self, question):
        self._pipe.send(question)
        return self._answer()

    def _answer(self):
        try:
            kind, value = self._pipe.recv()
        except EOFError:
            raise SystemExit("A side ended before its answer; is there memory enough?") from None
        if kind == "failed":
            raise SystemExit(value)
        return value


def _serve(pipe, make, settings, environment):
    os.environ.update(environment)
    try:
        about, tasks = make(settings)
        pipe.send(("made", (about, list(tasks))))
        while (question := pipe.recv()) is not None:
            kind, name = question
            pipe.send(("ran", clocked(tasks[name]) if kind == "run" else tasks[name]()))
    except Exception:
        pipe.send(("failed", traceback.format_exc()))
