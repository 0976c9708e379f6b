"""A run that is killed at any moment and resumed ends as one that was not."""

import random

import pytest
from amount import amount
from tiny_run import QUICK, SEMI, call, contents, differences, run, start_and_kill, train

from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.learning_curve import read_curve
from mrcnn_al.run_store import RunStore

pytestmark = pytest.mark.slow

# What is there when the process is killed, and at most how many seconds later; without a file
# the seconds count from its start.
MOMENTS = (
    ("", 2.0),
    ("iteration_001/labelled.json", 0.2),
    ("iteration_001/checkpoint.npz", 0.0),
    ("iteration_001/.weights.*", 0.0),
    ("iteration_001/weights.h5", 0.0),
    ("iteration_001/metrics.json", 0.1),
    ("iteration_001/scored.jsonl", 0.1),
    ("iteration_001/scores.csv", 0.0),
    ("iteration_001/batch.json", 0.0),
    ("pool.json", 0.0),
    ("iteration_002/weights.h5", 0.0),
    ("iteration_002/scored.jsonl", 0.1),
    ("iteration_002/pseudo_labels.json", 0.0),
)
# How often each of them, on average, in one run after the other.
ROUNDS = amount("kills of a run, in rounds of 13", 1, 8)
OPTIONS = ("--pseudo-labels", "keep")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("resume")


@pytest.fixture(scope="module")
def uninterrupted(folder):
    return train(folder / "uninterrupted", folder / "cache", *OPTIONS, "--iterations", "3")


def killed_at_all_moments(out, cache, delays):
    """Killed at all of the moments, each time resumed; in the end finished, of 2 iterations.

    It makes its own toy images, so that is interrupted, too.
    """
    command = ("train", "--out", out, "--cache", cache, *QUICK, *SEMI, *OPTIONS, "--resume")
    moments = [moment for moment, _ in MOMENTS]
    kills = [
        # Who looks too late, on a busy machine, kills at one of the moments that follow.
        start_and_kill(out, moments[number:], *command, seconds=delays.uniform(0, most))
        for number, (_, most) in enumerate(MOMENTS)
    ]
    assert sum(kills) >= len(MOMENTS) - 3
    return train(out, cache, *OPTIONS, "--resume")


@pytest.fixture(scope="module")
def killed(folder):
    delays = random.Random(20)
    for number in range(ROUNDS):
        out = killed_at_all_moments(folder / f"killed_{number}", folder / f"cache_{number}", delays)
        if number:
            assert differences(out, folder / "killed_0") == []
    return folder / "killed_0"


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.glob("iteration_*/*")}


def test_a_killed_run_ends_as_one_that_was_not(killed, uninterrupted):
    """Weights, batches, pseudo-labels, scores, metrics: all but the iteration it did not do."""
    assert RunStore.open(uninterrupted).iteration(1).read_pseudo_labels()
    different = differences(killed, uninterrupted, ("config.yaml", "pool.json", "curve.csv"))
    assert {name.split("/")[0] for name in different} == {"iteration_003"}
    assert read_curve(killed / "curve.csv") == read_curve(uninterrupted / "curve.csv")[:2]


def test_half_written_files_are_cleared_away(killed):
    assert not [path for path in killed.rglob(".*") if path.name != ".lock"]


def test_resuming_a_finished_run_changes_nothing(folder, killed):
    before, written = contents(killed), times(killed)
    call("train", "--out", killed, "--cache", folder / "cache_0", "--resume")
    assert contents(killed) == before
    assert times(killed) == written


def test_a_second_process_is_refused(folder, killed):
    before = contents(killed)
    with RunStore.open(killed).lock():
        done = run("train", "--out", killed, "--cache", folder / "cache_0", "--resume")
    assert done.returncode == 2
    assert "in use by another process" in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(killed) == before


@pytest.mark.parametrize(
    ("option", "value", "field"),
    [
        ("--seed", "1", "run.seed"),
        ("--batch", "5", "strategy.batch"),
        ("--strategy", "mask", "strategy.name"),
        ("--learner", "unet", "run.learner"),
        ("--new-labels", "replace", "run.new_labels"),
        ("--pseudo-labels", "refresh", "strategy.pseudo_labels"),
        ("--preset", "thesis", "run.preset_name"),
        ("--passes", "3", "sampling.passes"),
    ],
)
def test_a_changed_setting_is_refused(killed, option, value, field):
    before = contents(killed)
    with pytest.raises(UserError, match="only --iterations and --data may change") as raised:
        call("train", "--out", killed, "--resume", option, value)
    assert field in str(raised.value)
    assert contents(killed) == before


def test_more_iterations_go_on_where_it_ended(folder, killed, uninterrupted):
    written = times(killed)
    train(killed, folder / "cache_0", *OPTIONS, "--resume", "--iterations", "3")
    assert {path: times(killed)[path] for path in written} == written
    assert differences(killed, uninterrupted) == []
