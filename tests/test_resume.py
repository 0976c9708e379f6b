"""A run that is killed at any moment and resumed ends as one that was not."""

import random
import time

import pytest
from tiny_run import SEMI, TINY, contents, differences, run, start, train

from mrcnn_al.evaluation.learning_curve import read_curve
from mrcnn_al.run_store import RunStore

pytestmark = pytest.mark.slow

# What is there when the process is killed, and at most how many seconds later; without a file
# the seconds count from its start, most of which goes into imports.
MOMENTS = (
    ("", 5.0),
    ("iteration_001/labelled.json", 3.0),
    ("iteration_001/.weights.*", 0.0),
    ("iteration_001/weights.h5", 0.0),
    ("iteration_001/metrics.json", 1.0),
    ("", 12.0),
    ("iteration_001/scored.jsonl", 0.2),
    ("iteration_001/scores.csv", 0.0),
    ("iteration_001/batch.json", 0.3),
    ("pool.json", 0.0),
    ("iteration_002/labelled.json", 3.0),
    ("iteration_002/weights.h5", 2.0),
    ("iteration_002/scored.jsonl", 0.5),
    ("iteration_002/scores.csv", 0.0),
    ("iteration_002/pseudo_labels.json", 0.1),
)
OPTIONS = ("--layers", "heads", "--pseudo-labels", "keep")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("resume")


@pytest.fixture(scope="module")
def uninterrupted(folder):
    return train(folder / "uninterrupted", folder / "cache", *OPTIONS, "--iterations", "3")


def start_and_kill(out, cache, moment, seconds) -> bool:
    """Whether there was still something to kill."""
    seen = bool(moment) and not list(out.glob(moment))
    process = start("train", "--out", out, "--cache", cache, *TINY, *SEMI, *OPTIONS, "--resume")
    try:
        while seen and process.poll() is None and not list(out.glob(moment)):
            time.sleep(0.002)
        time.sleep(seconds)
        return process.poll() is None
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def killed(folder):
    """Killed at all of the moments, each time resumed; in the end finished, of 2 iterations.

    It makes its own toy images, so that is interrupted, too.
    """
    delays, kills = random.Random(20), 0
    out, cache = folder / "killed", folder / "other_cache"
    for moment, most in MOMENTS:
        kills += start_and_kill(out, cache, moment, delays.uniform(0, most))
    assert kills >= 10
    return train(out, cache, *OPTIONS, "--resume")


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
    done = run("train", "--out", killed, "--cache", folder / "other_cache", "--resume")
    assert done.returncode == 0, done.stderr
    assert contents(killed) == before
    assert times(killed) == written


def test_a_second_process_is_refused(folder, killed):
    before = contents(killed)
    with RunStore.open(killed).lock():
        done = run("train", "--out", killed, "--cache", folder / "other_cache", "--resume")
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
        ("--set", "model.rpn_channels=32", "model.rpn_channels"),
    ],
)
def test_a_changed_setting_is_refused(killed, option, value, field):
    before = contents(killed)
    done = run("train", "--out", killed, "--resume", option, value)
    assert done.returncode == 2
    assert field in done.stderr
    assert "only --iterations and --data may change" in done.stderr
    assert contents(killed) == before


def test_more_iterations_go_on_where_it_ended(folder, killed, uninterrupted):
    written = times(killed)
    train(killed, folder / "other_cache", *OPTIONS, "--resume", "--iterations", "3")
    assert {path: times(killed)[path] for path in written} == written
    assert differences(killed, uninterrupted) == []
