import os
from collections import Counter

import numpy as np
import pytest

from mrcnn_al.config import ModelConfig, TrainingConfig
from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances
from mrcnn_al.training.batches import training_batches
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


def batches(training=AUGMENTED, size=2, steps=9, seed=5, load=load):
    maker = ExampleMaker(MODEL, training)
    return list(training_batches(IDS, load, maker, size, steps, seed))


def image_ids(batch):
    """Which images are in a batch made without augmentation."""
    pixels = batch["images"][:, 0, 0, 0] / MODEL.pixel_scale + MODEL.mean_pixel[0]
    return [IDS[index] for index in np.round((pixels - 10) / 20).astype(int)]


def test_the_same_whatever_the_threads(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    one = batches()
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    many = batches()
    assert len(one) == len(many) == 9
    for batch, other in zip(one, many, strict=True):
        assert batch.keys() == other.keys()
        for name in batch:
            np.testing.assert_array_equal(batch[name], other[name], err_msg=name)


def test_another_seed_gives_others():
    first, other = batches(steps=1)[0], batches(steps=1, seed=6)[0]
    assert (first["images"] != other["images"]).any()
    assert (first["seeds"] != other["seeds"]).any()


def test_each_image_once_a_round():
    seen = [i for batch in batches(PLAIN, size=2, steps=14) for i in image_ids(batch)]
    rounds = [seen[start : start + 7] for start in range(0, 28, 7)]
    assert all(sorted(r) == list(IDS) for r in rounds)
    assert len({tuple(r) for r in rounds}) > 1


@pytest.mark.parametrize(("size", "steps"), [(3, 1), (3, 5), (16, 2)])
def test_as_many_rows_as_asked_for(size, steps):
    made = batches(PLAIN, size, steps)
    assert [len(batch["images"]) for batch in made] == [size] * steps
    counts = Counter(i for batch in made for i in image_ids(batch))
    assert max(counts.values()) - min(counts[i] for i in IDS) <= 1


def test_an_image_is_augmented_anew_each_time():
    made = batches(AUGMENTED, size=7, steps=4)
    assert len({row.tobytes() for batch in made for row in batch["gt_boxes"]}) > 20
    assert len({seed for batch in made for seed in batch["seeds"].tolist()}) == 28


def test_an_image_that_cannot_be_loaded_is_reported():
    def broken(image_id):
        if image_id == "c":
            raise UserError("The image c cannot be read.")
        return load(image_id)

    with pytest.raises(UserError, match="image c"):
        batches(load=broken)
