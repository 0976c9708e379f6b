"""Timing in turn, and processes that wait for their turn."""

import os
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def interleaved():
    sys.path.insert(0, str(SCRIPTS))
    try:
        import interleaved

        yield interleaved
    finally:
        sys.path.remove(str(SCRIPTS))


def make(settings):
    """A side that can say who it is, count, and fail."""
    calls = []
    return {"pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}, {
        "add": lambda: calls.append(settings["step"]),
        "count": lambda: sum(calls),
        "fail": lambda: 1 / 0,
    }


def test_tasks_take_turns_and_the_first_round_does_not_count(interleaved):
    order = []
    tasks = {name: lambda name=name: order.append(name) for name in "ab"}
    times = interleaved.in_turn(tasks, 2)
    assert "".join(order) == "ababab"
    assert {name: len(pairs) for name, pairs in times.items()} == {"a": 2, "b": 2}


def test_ratios_are_of_rounds(interleaved):
    times = {"a": [(1, 2), (9, 3), (3, 4)], "b": [(2, 2), (3, 2), (3, 2)]}
    assert interleaved.ratio(times, "a", "b") == {"ratio": 1.0, "by_processor_time": 1.5}
    assert interleaved.ratio(times, "a", "b", 0.9)["met"] is False
    assert interleaved.medians(times)["a"] == {"seconds": 3, "processor_seconds": 3}


def test_a_side_lives_in_its_own_process(interleaved, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    side = interleaved.Side(make, {"step": 2}, {"OMP_NUM_THREADS": "7"})
    assert side.about["pid"] != os.getpid()
    assert side.about["threads"] == "7"
    assert side.tasks == ["add", "count", "fail"]
    for _ in range(3):
        seconds, processor = side.run("add")
        assert seconds >= 0
        assert processor >= 0
    assert side.result("count") == 6
    with pytest.raises(SystemExit, match="ZeroDivisionError"):
        side.run("fail")
