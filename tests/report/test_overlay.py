"""Instances drawn over images."""

import numpy as np
import pytest

from mrcnn_al.instances import Instances
from mrcnn_al.report.overlay import OPACITY, draw_instances
from mrcnn_al.report.palette import SERIES, rgb


def square(scores=None, count=1):
    masks = np.zeros((100, 120, count), bool)
    masks[40:60, 50:80] = True
    return Instances.from_dense(masks, np.ones(count, int), scores)


def grey():
    return np.full((100, 120, 3), 100, np.uint8)


def test_glass_and_outline():
    image = grey()
    drawn = draw_instances(image, square())
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(image, grey())
    colour = np.array(rgb(SERIES[0]))
    glass = np.round(100 * (1 - OPACITY) + colour * OPACITY)
    np.testing.assert_array_equal(drawn[50, 65], glass)
    for y, x in ((40, 50), (59, 79), (40, 65), (50, 50)):
        np.testing.assert_array_equal(drawn[y, x], colour)
    outside = np.ones((100, 120), bool)
    outside[40:60, 50:80] = False
    assert (drawn[outside] == 100).all()


def test_labels_stand_above_few_instances_only():
    def changed_above(scores, count):
        drawn = draw_instances(grey(), square(scores, count), ["nucleus"])
        return (drawn[:40] != 100).any()

    assert changed_above([0.9], 1)
    assert changed_above(None, 1)
    assert not changed_above([0.9] * 60, 60)


def test_a_label_stays_inside_the_image():
    mask = np.zeros((30, 40, 1), bool)
    mask[0:3, 36:40] = True
    instances = Instances.from_dense(mask, [1], [0.5])
    drawn = draw_instances(np.zeros((30, 40, 3), np.uint8), instances, ["a name too long for it"])
    assert drawn.shape == (30, 40, 3)
    assert drawn[1].any()


def test_nothing_to_draw():
    image = grey()
    np.testing.assert_array_equal(draw_instances(image, Instances.empty(100, 120), []), image)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match="99"):
        draw_instances(np.zeros((99, 120, 3), np.uint8), square())
