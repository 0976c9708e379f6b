"""A first iteration that is taken over; the test of the runner shows that it is the same."""

import os

import pytest

from mrcnn_al.comparison.first_iteration import take_first_iteration
from mrcnn_al.run_store import RunStore
from mrcnn_al.score_journal import ScoreJournal
from mrcnn_al.score_table import ScoreRecord
from mrcnn_al.uncertainty.score_row import ScoreRow

TAKEN = (
    *("iteration_001/labelled.json", "iteration_001/history.csv", "iteration_001/weights.h5"),
    *("iteration_001/logs/train/events", "figures/iteration_001_test_a.png"),
)
LEFT = (
    *("iteration_001/batch.json", "iteration_001/pseudo_labels.json"),
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


ROWS = {name: ScoreRow(name, mask=1 / 3, passes=2) for name in ("b", "a")}
METRICS = {"AP": 0.5, "seconds": {"train": 5.0, "evaluate": 1.5, "score": 9.0, "query": 0.1}}


@pytest.fixture
def runs(tmp_path):
    source = RunStore.create(tmp_path / "first", "settings")
    write(source.folder, (*TAKEN, *LEFT))
    source.iteration(1).write_metrics(METRICS)
    source.iteration(1).write_scores([ScoreRecord(row, zone="low") for row in ROWS.values()])
    return source, RunStore.create(tmp_path / "arm", "other settings")


LINKED = {"config.yaml": "other settings", **{name: f"there {name}" for name in TAKEN}}


def assert_taken(target, scores):
    """All, and no more."""
    files, found = target.iteration(1), held(target.folder)
    expected = {"train": 5.0, "evaluate": 1.5} | ({"score": 9.0} if scores else {})
    assert files.read_metrics() == {"AP": 0.5, "seconds": expected}
    assert found.pop("iteration_001/metrics.json")
    if scores:
        assert found.pop("iteration_001/scored.jsonl").count("\n") == len(ROWS)
        with ScoreJournal(files.scored_path) as journal:
            assert journal.rows == ROWS
    assert found == LINKED


@pytest.mark.parametrize("scores", [False, True])
def test_what_was_before_the_choice_is_taken_and_no_more(runs, scores):
    source, target = runs
    before = held(source.folder)
    take_first_iteration(source, target, scores)
    assert_taken(target, scores)
    assert held(source.folder) == before


def test_there_are_no_scores_where_the_pool_was_not_scored(runs):
    """Then all of them are 0, and the run must score by itself."""
    source, target = runs
    source.iteration(1).write_scores([ScoreRecord(ScoreRow(name)) for name in ROWS])
    take_first_iteration(source, target, True)
    assert not target.iteration(1).scored_path.exists()
    assert target.iteration(1).metrics_path.exists()


def take_until_killed(runs, monkeypatch, owner, name, calls):
    """The function `name` of `owner` is called so many times; the next call kills."""
    function, made = getattr(owner, name), []

    def killing(*arguments):
        if len(made) == calls:
            raise KeyboardInterrupt
        made.append(arguments)
        return function(*arguments)

    monkeypatch.setattr(owner, name, killing)
    with pytest.raises(KeyboardInterrupt):
        take_first_iteration(*runs, True)
    monkeypatch.undo()


@pytest.mark.parametrize("stop", range(len(TAKEN)))
def test_a_kill_in_the_middle_loses_nothing(runs, monkeypatch, stop):
    """The metrics are last: whoever has them has all, whoever has not takes the rest later."""
    target = runs[1]
    take_until_killed(runs, monkeypatch, os, "link", stop)
    assert not target.iteration(1).metrics_path.exists()
    assert target.iteration(1).weights_path.exists() <= target.iteration(1).history_path.exists()
    assert held(target.folder).items() <= LINKED.items()
    take_first_iteration(*runs, True)
    assert_taken(target, True)


def test_a_kill_while_the_scores_are_taken_loses_nothing(runs, monkeypatch):
    target = runs[1]
    take_until_killed(runs, monkeypatch, ScoreJournal, "add", 1)
    assert held(target.folder) == LINKED
    take_first_iteration(*runs, True)
    assert_taken(target, True)


def test_a_file_system_without_links(runs, monkeypatch):
    source, target = runs

    def refused(origin, place):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refused)
    take_first_iteration(source, target, True)
    assert_taken(target, True)


def test_what_a_run_has_done_by_itself_stays(runs):
    source, target = runs
    write(target.folder, ["iteration_001/weights.h5"], "own")
    take_first_iteration(source, target, True)
    assert held(target.folder)["iteration_001/weights.h5"] == "own iteration_001/weights.h5"
    before = held(target.folder)
    write(source.folder, TAKEN, "changed")
    source.iteration(1).write_metrics({**METRICS, "AP": 0.6})
    take_first_iteration(source, target, True)
    assert {n: t for n, t in held(target.folder).items() if "own" in t} == {
        n: t for n, t in before.items() if "own" in t
    }


def test_a_run_goes_on_without_touching_the_other(runs):
    """A linked file that is replaced is another file afterwards."""
    source, target = runs
    take_first_iteration(source, target, True)
    target.iteration(1).write_history([{"epoch": 1}])
    assert source.iteration(1).history_path.read_text() == "there iteration_001/history.csv"
