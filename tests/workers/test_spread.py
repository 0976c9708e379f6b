"""Tasks among workers that are threads here, and are lost when the test says so."""

import threading
import time

import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.workers.spread import MOST_LOSSES, Worker, WorkerLost, spread

TASKS = [f"task {number}" for number in range(30)]


class Office:
    """Hires workers and remembers them."""

    def __init__(self, lose=lambda place, task, times: False, refuse=(), cannot_open=0):
        self.lose, self.refuse, self.cannot_open = lose, refuse, cannot_open
        self.hired, self.ended, self.done = [], [], []
        self.at_work, self.most_at_work = 0, 0
        self.lock = threading.Lock()

    def hire(self, place):
        self.hired.append(place)
        return Clerk(self, place)


class Clerk(Worker):
    def __init__(self, office, place):
        self.office, self.place = office, place

    def open(self):
        with self.office.lock:
            self.office.cannot_open -= 1
            if self.office.cannot_open >= 0:
                raise WorkerLost("no chair")

    def do(self, task):
        office = self.office
        with office.lock:
            office.at_work += 1
            office.most_at_work = max(office.most_at_work, office.at_work)
            times = office.done.count(task)
            office.done.append(task)
        # The later tasks are the quicker ones: answers do not arrive in order.
        time.sleep(0.002 * (len(TASKS) - TASKS.index(task)) / len(TASKS))
        with office.lock:
            office.at_work -= 1
        if task in office.refuse:
            raise UserError(f"{task} cannot be done")
        if office.lose(self.place, task, times):
            raise WorkerLost("gone home")
        return task.upper()

    def end(self):
        self.office.ended.append(self)


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_answers_are_in_order_whatever_the_number_of_workers(count):
    office, kept = Office(), []
    assert spread(TASKS, office.hire, count, kept.append) == [task.upper() for task in TASKS]
    assert sorted(kept) == sorted(task.upper() for task in TASKS)
    assert len(office.hired) == len({*office.hired}) <= min(count, len(TASKS))
    assert office.most_at_work <= count
    assert len(office.ended) == len(office.hired)


def test_nothing_to_do():
    office = Office()
    assert spread([], office.hire, 3) == []
    assert office.hired == []


def test_several_work_at_the_same_time():
    office = Office()
    spread(TASKS, office.hire, 3)
    assert office.most_at_work > 1


def test_what_a_lost_worker_had_is_done_by_another():
    office = Office(lose=lambda place, task, times: times == 0 and task in TASKS[3:9])
    said = []
    answers = spread(TASKS, office.hire, 2, say=said.append)
    assert answers == [task.upper() for task in TASKS]
    assert len(said) == 6
    assert all("gone home" in line for line in said)
    assert sorted(office.done) == sorted([*TASKS, *TASKS[3:9]])
    assert len(office.hired) == 2 + 6
    assert len(office.ended) >= 6


def test_a_worker_that_never_comes_is_replaced():
    office = Office(cannot_open=2)
    assert spread(TASKS, office.hire, 2, say=lambda line: None)[-1] == TASKS[-1].upper()
    assert len(office.hired) == 4


def test_a_task_that_is_the_end_of_every_worker():
    office = Office(lose=lambda place, task, times: task == TASKS[4])
    with pytest.raises(UserError, match=r"3 workers .* lost .*'task 4'.*\n?.*gone home"):
        spread(TASKS, office.hire, 2, say=lambda line: None)
    assert office.done.count(TASKS[4]) == MOST_LOSSES


def test_workers_that_all_fail_to_begin_are_given_up_soon():
    office = Office(cannot_open=10**6)
    with pytest.raises(UserError, match="no chair"):
        spread(TASKS, office.hire, 2, say=lambda line: None)
    assert len(office.hired) <= 3 * MOST_LOSSES


def test_what_cannot_be_done_ends_it_all():
    office = Office(refuse=TASKS[2:3])
    with pytest.raises(UserError, match="task 2 cannot be done"):
        spread(TASKS, office.hire, 2)
    assert len(office.done) < len(TASKS)
    assert threading.active_count() < 20


def test_an_error_in_this_process_ends_the_workers():
    """As Ctrl-C does."""
    office = Office()

    def keep(answer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spread(TASKS, office.hire, 2, keep)
    assert len(office.ended) >= 1
    assert len(office.done) < len(TASKS)
