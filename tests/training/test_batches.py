import os
import threading
from collections import Counter

import numpy as np
import pytest

from mrcnn_al.config import ModelConfig, TrainingConfig
from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances
from mrcnn_al.training import batches as module
from mrcnn_al.training.batches import Pipeline, fixed_batches, training_batches
from mrcnn_al.training.examples import ExampleMaker

IDS = tuple("abcdefg")
MODEL = ModelConfig.preset("cpu", image_min_dim=64, image_max_dim=64, max_gt_instances=4)
AUGMENTED = TrainingConfig.preset("cpu")
PLAIN = TrainingConfig()


def load(image_id):
    """An image whose brightness tells which it is, with one instance."""
    mask = np.zeros((80, 70, 1), bool)
    mask[10:40, 20:45] = True
    grey = 10 + 20 * IDS.index(image_id)
    return np.full((80, 70, 3), grey, np.uint8), Instances.from_dense(mask, [1])


def batches(training=AUGMENTED, size=2, steps=9, seed=5, load=load, **options):
    maker = ExampleMaker(MODEL, training)
    return list(training_batches(IDS, load, maker, size, steps, seed, **options))


def shown(batch):
    """Which images are in a batch made without augmentation."""
    pixels = batch.inputs["images"][:, 0, 0, 0] / MODEL.pixel_scale + MODEL.mean_pixel[0]
    return tuple(IDS[index] for index in np.round((pixels - 10) / 20).astype(int))


def assert_equal(made, others):
    assert len(made) == len(others)
    for batch, other in zip(made, others, strict=True):
        assert batch.image_ids == other.image_ids
        assert batch.inputs.keys() == other.inputs.keys()
        for name in batch.inputs:
            np.testing.assert_array_equal(batch.inputs[name], other.inputs[name], err_msg=name)


@pytest.mark.parametrize("pipeline", [Pipeline(1, 1), Pipeline(8), Pipeline(3, 20)])
def test_the_same_whatever_the_threads(pipeline):
    assert len(batches()) == 9
    assert_equal(batches(pipeline=pipeline), batches())


@pytest.mark.parametrize("first_step", [0, 1, 4, 8, 9])
def test_a_training_goes_on_at_any_step(first_step):
    assert_equal(batches(first_step=first_step), batches()[first_step:])


def test_another_seed_gives_others():
    first, other = (batches(steps=1, seed=seed)[0].inputs for seed in (5, 6))
    assert (first["images"] != other["images"]).any()
    assert (first["seeds"] != other["seeds"]).any()


def test_each_image_once_a_round():
    seen = [i for batch in batches(PLAIN, size=2, steps=14) for i in shown(batch)]
    rounds = [seen[start : start + 7] for start in range(0, 28, 7)]
    assert all(sorted(r) == list(IDS) for r in rounds)
    assert len({tuple(r) for r in rounds}) > 1


def test_batches_know_their_images():
    for batch in batches(PLAIN, size=3, steps=7):
        assert batch.image_ids == shown(batch)


@pytest.mark.parametrize(("size", "steps"), [(3, 1), (3, 5), (16, 2)])
def test_as_many_rows_as_asked_for(size, steps):
    made = batches(PLAIN, size, steps)
    assert [len(batch.inputs["images"]) for batch in made] == [size] * steps
    counts = Counter(i for batch in made for i in batch.image_ids)
    assert max(counts.values()) - min(counts[i] for i in IDS) <= 1


def test_an_image_is_augmented_anew_each_time():
    made = batches(AUGMENTED, size=7, steps=4)
    assert len({row.tobytes() for batch in made for row in batch.inputs["gt_boxes"]}) > 20
    assert len({seed for batch in made for seed in batch.inputs["seeds"].tolist()}) == 28


def test_fixed_batches_are_the_same_each_time():
    maker = ExampleMaker(MODEL, PLAIN)
    one, other = (list(fixed_batches(IDS, load, maker, 3)) for _ in range(2))
    assert_equal(one, other)
    assert [batch.image_ids for batch in one] == [tuple("abc"), tuple("def"), tuple("gab")]
    assert [shown(batch) for batch in one] == [batch.image_ids for batch in one]


def test_an_image_that_cannot_be_loaded_is_reported():
    def broken(image_id):
        if image_id == "c":
            raise UserError("The image c cannot be read.")
        return load(image_id)

    with pytest.raises(UserError, match="image c"):
        batches(load=broken)


@pytest.mark.parametrize("processors", [1, 2, 16, 64])
@pytest.mark.parametrize("size", [1, 2, 6, 40])
def test_there_is_work_for_every_processor(monkeypatch, processors, size):
    monkeypatch.setattr(module, "processors", lambda: processors)
    workers = Pipeline().worker_count()
    assert workers == min(processors, 32)
    ahead = Pipeline().rows_ahead(size)
    assert ahead >= 2 * workers
    assert ahead >= 4 * size
    assert ahead % size == 0
    assert Pipeline(3, 5).rows_ahead(size) == 5 * size


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinity")
def test_processors_are_those_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 5, 7})
    assert module.processors() == 3


def test_no_more_is_made_than_fits_ahead():
    """However slow the training, memory holds the batch in use and those ahead of it."""
    loaded, done = [], threading.Event()

    def counting(image_id):
        loaded.append(image_id)
        if len(loaded) == 8:
            done.set()
        return load(image_id)

    maker = ExampleMaker(MODEL, PLAIN)
    stream = training_batches(IDS, counting, maker, 2, 100, 0, pipeline=Pipeline(4, 3))
    next(stream)
    assert done.wait(10)
    stream.close()
    assert len(loaded) == 2 * (1 + 3)


def test_nothing_goes_on_after_the_end():
    before = threading.active_count()
    maker = ExampleMaker(MODEL, PLAIN)
    stream = training_batches(IDS, load, maker, 2, 10_000, 0)
    next(stream)
    assert threading.active_count() > before
    stream.close()
    assert threading.active_count() == before
