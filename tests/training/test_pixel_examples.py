import numpy as np
import pytest

from mrcnn_al.config import TrainingConfig, UNetConfig
from mrcnn_al.datasets.toy_image import draw_image
from mrcnn_al.instances import Instances
from mrcnn_al.ops.label_map import IGNORED
from mrcnn_al.training.examples import without_augmentation
from mrcnn_al.training.pixel_examples import PixelExampleMaker

TRAINING = TrainingConfig.preset("cpu")
PLAIN = without_augmentation(TRAINING)


def config(**changes):
    return UNetConfig.preset("cpu", num_classes=4, image_min_dim=64, image_max_dim=64, **changes)


def painted(crowd=None):
    """A square whose pixels have a colour of their own."""
    image, mask = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64, 1), bool)
    mask[10:30, 20:50] = True
    image[mask[..., 0]] = 200
    return image, Instances.from_dense(mask, [2], crowd=crowd)


def make(image, instances, training=PLAIN, seed=0, **changes):
    rng = np.random.default_rng(seed)
    return PixelExampleMaker(config(**changes), training).make(image, instances, rng)


def test_a_row_has_what_the_network_takes():
    row = make(*painted())
    assert {name: (value.shape, value.dtype) for name, value in row.items()} == {
        "images": ((64, 64, 3), np.dtype(np.float32)),
        "class_ids": ((64, 64), np.dtype(np.int32)),
        "contours": ((64, 64), np.dtype(bool)),
    }
    assert "contours" not in make(*painted(), contours=False)


@pytest.mark.parametrize("seed", range(6))
def test_classes_lie_on_their_pixels_whatever_the_augmentation(seed):
    training = TrainingConfig.preset("cpu", brightness_jitter=(1.0, 1.0))
    row = make(*painted(), training, seed)
    bright = row["images"][..., 0] > 0
    assert set(np.unique(row["class_ids"])) <= {0, 2}
    # Scaling smooths the colours, not the classes.
    assert ((row["class_ids"] == 2) != bright).mean() < 0.04
    assert (row["class_ids"] == 2).any()


def test_images_are_scaled_with_their_classes():
    image, instances = painted()
    row = make(image, instances, image_min_scale=2.0)
    assert row["class_ids"].shape == (64, 64)
    assert ((row["class_ids"] == 2) != (row["images"][..., 0] > 0)).mean() < 0.04


def test_crowds_are_ignored():
    row = make(*painted(crowd=[True]))
    assert (row["class_ids"] == IGNORED).sum() == 20 * 30


def test_the_same_draw_gives_the_same_row():
    image, instances = draw_image(np.random.default_rng(0), 80)
    one, same, other = (make(image, instances, TRAINING, seed) for seed in (1, 1, 2))
    for name, value in one.items():
        np.testing.assert_array_equal(value, same[name])
    assert (one["class_ids"] != other["class_ids"]).any()
    assert one["contours"].any()
