"""A first iteration that is taken over; the test of the runner shows that it is the same."""

import os

import pytest

from mrcnn_al.comparison.first_iteration import take_first_iteration
from mrcnn_al.run_store import RunStore

TAKEN = (
    *("iteration_001/labelled.json", "iteration_001/history.csv", "iteration_001/weights.h5"),
    *("iteration_001/metrics.json", "iteration_001/logs/train/events"),
    "figures/iteration_001_test_a.png",
)
LEFT = (
    *("iteration_001/scores.csv", "iteration_001/batch.json", "iteration_001/pseudo_labels.json"),
    *("pool.json", "curve.csv", "report.html", "iteration_002/weights.h5"),
    "figures/learning_curve.png",
)


def write(folder, names, text="there"):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text} {name}")


def held(folder):
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


@pytest.fixture
def runs(tmp_path):
    source = RunStore.create(tmp_path / "first", "settings")
    write(source.folder, (*TAKEN, *LEFT))
    return source, RunStore.create(tmp_path / "arm", "other settings")


EXPECTED = {"config.yaml": "other settings", **{name: f"there {name}" for name in TAKEN}}


def test_training_and_evaluation_are_taken_and_no_more(runs):
    source, target = runs
    before = held(source.folder)
    take_first_iteration(source, target)
    assert held(target.folder) == EXPECTED
    assert held(source.folder) == before


@pytest.mark.parametrize("stop", range(len(TAKEN)))
def test_a_kill_in_the_middle_loses_nothing(runs, monkeypatch, stop):
    """The metrics are last: whoever has them has all, whoever has not takes the rest later."""
    source, target = runs
    link, done = os.link, []

    def linked(origin, place):
        if len(done) == stop:
            raise KeyboardInterrupt
        done.append(place)
        link(origin, place)

    monkeypatch.setattr(os, "link", linked)
    with pytest.raises(KeyboardInterrupt):
        take_first_iteration(source, target)
    assert not target.iteration(1).metrics_path.exists()
    assert target.iteration(1).weights_path.exists() <= target.iteration(1).history_path.exists()
    assert held(target.folder).items() <= EXPECTED.items()
    monkeypatch.undo()
    take_first_iteration(source, target)
    assert held(target.folder) == EXPECTED


def test_a_file_system_without_links(runs, monkeypatch):
    source, target = runs

    def refused(origin, place):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refused)
    take_first_iteration(source, target)
    assert held(target.folder) == EXPECTED


def test_what_a_run_has_done_by_itself_stays(runs):
    source, target = runs
    write(target.folder, ["iteration_001/weights.h5"], "own")
    take_first_iteration(source, target)
    assert held(target.folder)["iteration_001/weights.h5"] == "own iteration_001/weights.h5"
    before = held(target.folder)
    write(source.folder, TAKEN, "changed")
    take_first_iteration(source, target)
    assert {n: t for n, t in held(target.folder).items() if "own" in t} == {
        n: t for n, t in before.items() if "own" in t
    }


def test_a_run_goes_on_without_touching_the_other(runs):
    """A linked file that is replaced is another file afterwards."""
    source, target = runs
    take_first_iteration(source, target)
    target.iteration(1).write_metrics({"AP": 0.5})
    assert source.iteration(1).metrics_path.read_text() == "there iteration_001/metrics.json"
