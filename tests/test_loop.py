"""Tiny runs through the command line, of the learner that starts in a moment."""

import csv

import numpy as np
import pytest
from tiny_run import (
    POOL,
    PSEUDO_THRESHOLD,
    QUICK,
    differences,
    read,
    start_and_kill,
    train,
)

from mrcnn_al.config import Config
from mrcnn_al.evaluation.learning_curve import read_curve
from mrcnn_al.iteration_files import IterationFiles
from mrcnn_al.run_store import RunStore

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("loop")


@pytest.fixture(scope="module")
def semi(folder):
    """A run with pseudo-labels."""
    return train(folder / "semi", folder / "cache")


def iterations(run) -> tuple[IterationFiles, ...]:
    return RunStore.open(run).iterations()


def pseudo_labelled(files) -> set[str]:
    return {str(result["image_id"]) for result in files.read_pseudo_labels()}


def check_files(run):
    """All files of a finished run are there and agree with each other."""
    store = RunStore.open(run)
    config, pool, done = Config.from_yaml(store.read_config()), store.read_pool(), iterations(run)
    assert [files.number for files in done] == list(range(1, config.run.iterations + 1))
    assert pool.iteration == config.run.iterations + 1
    everything = {*pool.labelled, *pool.unlabelled}
    assert len(everything) == POOL
    labelled, taken = done[0].read_labelled()[0], ()
    assert len(labelled) == 4
    for files in done:
        assert files.read_labelled() == (labelled, tuple(taken))
        scores, batch = files.read_scores(), files.read_batch()
        assert {record.row.image_id for record in scores} == everything - set(labelled)
        assert len(scores) == POOL - len(labelled)
        reasons = {record.row.image_id: record.reason for record in scores if record.queried}
        assert reasons == dict(zip(batch.image_ids, batch.reasons, strict=True))
        assert len(batch.image_ids) == 4
        assert not set(batch.image_ids) & set(labelled)
        taken = dict.fromkeys(str(result["image_id"]) for result in files.read_pseudo_labels())
        labelled = (*labelled, *batch.image_ids)
        assert not set(taken) & set(labelled)
        assert files.weights_path.is_file()
        assert len(files.read_history()) == config.training.epochs
        metrics = files.read_metrics()
        assert metrics["labelled_images"] == len(files.read_labelled()[0])
        assert metrics["pseudo_labelled"] == len(files.read_labelled()[1])
        assert {"train", "evaluate"} <= metrics["seconds"].keys()
    assert (pool.labelled, pool.pseudo_labelled) == (labelled, tuple(taken))
    curve = read_curve(store.curve_path)
    assert [point.iteration for point in curve] == [files.number for files in done]
    assert store.report_path.is_file()
    assert not [p for p in store.folder.rglob(".*") if p.name != ".lock"]


def test_all_files_are_there_and_agree(semi):
    check_files(semi)
    names = {path.name for path in semi.iterdir()} - {".lock"}
    expected = {"config.yaml", "pool.json", "curve.csv", "report.html", "figures"}
    assert names == expected | {"iteration_001", "iteration_002"}
    in_iteration = {
        *("labelled.json", "weights.h5", "history.csv", "metrics.json", "scores.csv"),
        *("batch.json", "batch_classes.json", "pseudo_labels.json", "pseudo_quality.json"),
    }
    assert {path.name for path in (semi / "iteration_001").iterdir()} == in_iteration


def test_certain_images_get_pseudo_labels(semi):
    first, second = iterations(semi)
    rows = [record.row for record in first.read_scores()]
    certain = {r.image_id for r in rows if r.mask < PSEUDO_THRESHOLD and not r.undetected}
    given = pseudo_labelled(first)
    assert given
    assert given <= certain - set(first.read_batch().image_ids)
    assert set(second.read_labelled()[1]) == given
    assert given <= {r.row.image_id for r in second.read_scores()}


def test_scores_come_from_as_many_passes_as_asked_for(semi):
    with (semi / "iteration_001" / "scores.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["passes"] for line in lines} == {"2"}
    assert {line["zone"] for line in lines} == {"low", "medium", "high"}
    assert len({line["mask"] for line in lines}) > 6


def test_training_changes_the_weights(semi):
    first, second = iterations(semi)
    assert first.weights_path.read_bytes() != second.weights_path.read_bytes()


def test_the_same_seed_gives_the_same_run(folder, semi):
    again = train(folder / "again", folder / "cache")
    assert differences(semi, again) == []


def test_another_seed_gives_another_run(folder, semi):
    other = train(folder / "other", folder / "cache", "--seed", "1", "--iterations", "1")
    for name in ("labelled.json", "batch.json", "weights.h5", "scores.csv"):
        path = f"iteration_001/{name}"
        assert (semi / path).read_bytes() != (other / path).read_bytes(), name


def test_every_draw_hangs_on_the_seed_the_iteration_and_the_phase():
    """Splits and first weights differ by seed anyway, so whole runs would not show it."""
    from types import SimpleNamespace

    from mrcnn_al.loop import ActiveLearning

    drawn = {
        ActiveLearning._seed(
            SimpleNamespace(config=SimpleNamespace(run=SimpleNamespace(seed=seed))),
            SimpleNamespace(number=number),
            phase,
        )
        for seed in (0, 1)
        for number in (1, 2)
        for phase in ("train", "score", "query")
    }
    assert len(drawn) == 12


@pytest.mark.parametrize("strategy", ["random", "mask"])
def test_other_strategies(folder, semi, strategy):
    """Restarted weights, for a change; the first iteration's start is shared."""
    options = ("--strategy", strategy, "--restart-weights")
    run = train(folder / strategy, folder / "cache", *options)
    check_files(run)
    first, second = iterations(run)
    assert pseudo_labelled(first) == pseudo_labelled(second) == set()
    assert {r.row.passes for r in first.read_scores()} == {0 if strategy == "random" else 2}
    assert read(first.labelled_path) == read(semi / "iteration_001" / "labelled.json")


def test_core_set_goes_on_from_the_features_that_are_there(folder):
    """Killed when the features of the first iteration are written, and resumed."""
    out, options = folder / "core-set", ("--strategy", "core-set")
    command = ("train", "--out", out, "--cache", folder / "cache", *QUICK, *options)
    first = RunStore(out).iteration(1)
    start_and_kill(out, ["iteration_001/features.npz"], *command)
    written = first.features_path.stat().st_mtime_ns
    check_files(train(out, folder / "cache", *options, "--resume"))
    assert first.features_path.stat().st_mtime_ns == written
    for files in iterations(out):
        features, labelled = files.read_features(), files.read_labelled()[0]
        assert {r.row.passes for r in files.read_scores()} == {0}
        centres = [features.of([image_id])[0] for image_id in labelled]
        for image_id in files.read_batch().image_ids:
            nearest = np.min(
                [np.linalg.norm(features.values - centre, axis=1) for centre in centres], axis=0
            )
            assert features.image_ids[nearest.argmax()] == image_id
            centres.append(features.of([image_id])[0])


def test_a_pool_that_runs_out(folder):
    """The last images are labelled and trained on, and then there is nothing left to do."""
    options = ("--labelled", "14", "--iterations", "3")
    run = train(folder / "all", folder / "cache", *options)
    assert [len(files.read_scores()) for files in iterations(run)] == [2, 0]
    assert [len(files.read_batch().image_ids) for files in iterations(run)] == [2, 0]
    pool = RunStore.open(run).read_pool()
    assert (len(pool.labelled), pool.unlabelled) == (POOL, ())
    assert len(read_curve(run / "curve.csv")) == 2
