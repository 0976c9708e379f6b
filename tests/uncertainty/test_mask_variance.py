"""Mask variance against np.var over full-size stacks."""

import numpy as np
import pytest

from mrcnn_al.instances import Instances
from mrcnn_al.uncertainty.mask_variance import mask_variance, variance_map


def random_pass(random, height, width, classes=3, most=6):
    count = random.integers(0, most + 1)
    masks = np.zeros((height, width, count), bool)
    for index in range(count):
        y, x = random.integers(height), random.integers(width)
        window = masks[y : y + random.integers(1, 20), x : x + random.integers(1, 20), index]
        window[...] = random.random(window.shape) < 0.7
        masks[y, x, index] = True
    return Instances.from_dense(masks, random.integers(1, classes + 1, count))


def literal_variance(passes):
    """Class id to float64 [H, W]."""
    result = {}
    for class_id in sorted({c for instances in passes for c in instances.class_ids.tolist()}):
        stack = [
            instances.dense()[:, :, instances.class_ids == class_id].any(axis=2)
            for instances in passes
        ]
        result[class_id] = np.var(np.array(stack, np.float64), axis=0)
    return result


@pytest.mark.parametrize("seed", range(25))
def test_random_passes(seed):
    random = np.random.default_rng(seed)
    height, width = random.integers(5, 60, 2)
    passes = [random_pass(random, height, width) for _ in range(random.integers(1, 12))]
    expected = literal_variance(passes)
    measured = mask_variance(passes)
    assert list(measured) == list(expected)
    for class_id, plane in expected.items():
        assert measured[class_id] == pytest.approx(plane.sum(), rel=1e-12)
    drawn = variance_map(passes)
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn, sum(expected.values(), np.zeros((height, width))), atol=1e-6)


def test_overlapping_masks_of_a_class_count_once():
    twice = Instances.from_dense(np.ones((4, 4, 2), bool), [1, 1])
    assert mask_variance([twice, Instances.empty(4, 4)]) == {1: 16 * 0.25}
    assert mask_variance([twice, twice]) == {1: 0.0}


def test_a_detection_without_a_pixel_is_still_a_detected_class():
    hollow = Instances(9, 9, [2], [[3, 3, 5, 5]], (np.zeros((2, 2), bool),), [0.8])
    assert mask_variance([hollow]) == {2: 0.0}


def test_without_detections():
    nothing = [Instances.empty(7, 5)] * 3
    assert mask_variance(nothing) == {}
    np.testing.assert_array_equal(variance_map(nothing), np.zeros((7, 5), np.float32))
    with pytest.raises(ValueError, match="at least one pass"):
        variance_map([])


def test_passes_over_different_images_are_refused():
    with pytest.raises(ValueError, match="different sizes"):
        mask_variance([Instances.empty(7, 5), Instances.empty(5, 7)])


def test_more_passes_than_a_byte_counts():
    on = Instances.from_dense(np.ones((2, 2, 1), bool), [1])
    off = Instances.empty(2, 2)
    assert mask_variance([on] * 300 + [off] * 100) == {1: 4 * 0.75 * 0.25}
