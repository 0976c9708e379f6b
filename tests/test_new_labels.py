"""What an iteration trains on: all labels or the newest, fresh pseudo-labels or kept ones."""

import dataclasses
import json

import pytest

from mrcnn_al.config import Config
from mrcnn_al.datasets.base import Subset
from mrcnn_al.datasets.toy import generate_toy
from mrcnn_al.evaluation.learning_curve import read_curve
from mrcnn_al.loop import ActiveLearning
from mrcnn_al.oracle import HiddenTruthOracle
from mrcnn_al.run_store import RunStore
from mrcnn_al.strategies.factory import strategy_from_config

pytestmark = pytest.mark.slow

TRAINING = {"epochs": 3, "steps_per_epoch": 5, "images_per_batch": 2}


class Interrupted(Exception):
    pass


class RecordingOracle(HiddenTruthOracle):
    """Notes what it is asked for; gives up at a batch of the given images."""

    def __init__(self, dataset, gives_up_at=()):
        super().__init__(dataset)
        self.asked, self.gives_up_at = [], tuple(gives_up_at)

    def label(self, image_ids):
        if self.gives_up_at and tuple(image_ids) == self.gives_up_at:
            raise Interrupted
        self.asked.append(tuple(image_ids))
        return super().label(image_ids)


@pytest.fixture(scope="module")
def subset(tmp_path_factory):
    dataset = generate_toy(str(tmp_path_factory.mktemp("toy")), seed=0, count=18, size=64)
    ids = dataset.image_ids
    return Subset("toy", dataset, ids[:14], ids[:4], ids[14:15], ids[15:])


def make_config(subset, iterations=3, run=(), strategy=()):
    return Config.preset(
        "cpu",
        run={"learner": "quick", "iterations": iterations, **dict(run)},
        training=TRAINING,
        sampling={"passes": 2, "min_confidence": 0.0},
        strategy={"name": "semi", "batch": 2, "pseudo_threshold": 1e6, **dict(strategy)},
    ).fitted_to(subset.dataset.class_names)


def learn(folder, subset, config, oracle=None):
    """Starts or continues a run."""
    store = RunStore(folder)
    if not store.config_path.exists():
        store = RunStore.create(folder, config.to_yaml())
    strategy = strategy_from_config(config.strategy)
    oracle = oracle or HiddenTruthOracle(subset.dataset)
    with store.lock():
        ActiveLearning(config, subset, strategy, oracle, store, lambda line: None).run()
    return store


def results(store, number):
    """The COCO results of an iteration by image."""
    found = {}
    for result in store.iteration(number).read_pseudo_labels():
        found.setdefault(str(result["image_id"]), []).append(result)
    return found


@pytest.fixture(scope="module")
def keep(subset):
    return make_config(subset, strategy={"pseudo_labels": "keep"})


@pytest.fixture(scope="module")
def kept(subset, keep, tmp_path_factory):
    return learn(tmp_path_factory.mktemp("kept") / "run", subset, keep)


def test_a_kept_pseudo_label_stays_until_the_oracle_labels_the_image(kept):
    for number in (2, 3):
        before, after = results(kept, number - 1), results(kept, number)
        queried = set(kept.iteration(number).read_batch().image_ids)
        assert before
        assert {i: after.get(i) for i in before if i not in queried} == {
            i: before[i] for i in before if i not in queried
        }
        assert not queried & set(after)
        assert set(kept.iteration(number).read_labelled()[1]) == set(before)
    assert set(kept.read_pool().pseudo_labelled) == set(results(kept, 3))
    assert [len(kept.iteration(number).read_labelled()[0]) for number in (1, 2, 3)] == [4, 6, 8]


def test_a_queried_image_had_one_before(kept):
    """Otherwise the test above would not show that it goes."""
    queried = set(kept.iteration(2).read_batch().image_ids)
    assert queried & set(results(kept, 1))


def test_fresh_pseudo_labels_are_those_of_the_newest_model(subset, tmp_path):
    store = learn(tmp_path / "run", subset, make_config(subset, 2))
    before, after = results(store, 1), results(store, 2)
    both = set(before) & set(after)
    assert both
    assert any(before[image_id] != after[image_id] for image_id in both)


def test_kept_pseudo_labels_are_found_again(kept, keep, subset, tmp_path):
    """Stopped after the pseudo-labels of the second iteration, before its batch is labelled."""
    batch = kept.iteration(2).read_batch().image_ids
    with pytest.raises(Interrupted):
        learn(tmp_path / "run", subset, keep, RecordingOracle(subset.dataset, batch))
    store = RunStore(tmp_path / "run")
    assert store.read_pool().iteration == 2
    assert results(store, 2) == results(kept, 2)
    learn(tmp_path / "run", subset, keep)
    for number in (1, 2, 3):
        ours, theirs = store.iteration(number), kept.iteration(number)
        for name in ("pseudo_labels_path", "labelled_path", "batch_path", "scores_path"):
            assert getattr(ours, name).read_bytes() == getattr(theirs, name).read_bytes()
    assert store.read_pool() == kept.read_pool()


def test_replaced_labels_are_trained_on_once(subset, tmp_path):
    config = make_config(subset, run={"new_labels": "replace"}, strategy={"name": "random"})
    oracle = RecordingOracle(subset.dataset)
    store = learn(tmp_path / "run", subset, config, oracle)
    batches = [store.iteration(number).read_batch().image_ids for number in (1, 2, 3)]
    trained = [store.iteration(number).read_labelled()[0] for number in (1, 2, 3)]
    assert trained == [subset.labelled, *batches[:2]]
    # What the oracle was asked for one by one, for training; several threads may ask for one.
    singles = {asked[0] for asked in oracle.asked if len(asked) == 1}
    assert singles == {image_id for image_ids in trained for image_id in image_ids}
    assert store.read_pool().labelled == (*subset.labelled, *(i for ids in batches for i in ids))
    # The budget is all that was labelled.
    labelled, count = store.read_pool().labelled, subset.dataset.instance_count
    assert [
        (point.labelled_images, point.labelled_instances) for point in read_curve(store.curve_path)
    ] == [(number, sum(map(count, labelled[:number]))) for number in (4, 6, 8)]


def test_a_pool_that_runs_out(subset, tmp_path):
    """Its last batch is trained on, alone."""
    few = dataclasses.replace(subset, train=subset.train[:6])
    config = make_config(few, 5, {"new_labels": "replace"}, {"name": "random"})
    store = learn(tmp_path / "run", few, config)
    assert store.read_pool().iteration == 3
    assert store.iteration(2).read_labelled()[0] == store.iteration(1).read_batch().image_ids
    assert json.loads(store.pool_path.read_text())["unlabelled"] == []
    before = store.pool_path.read_bytes()
    learn(tmp_path / "run", few, config)
    assert store.pool_path.read_bytes() == before
