import numpy as np
import pytest

from mrcnn_al.instances import Instances
from mrcnn_al.ops.label_map import IGNORED, class_map, instance_map, outlines, scale_nearest

pytestmark = pytest.mark.every_backend


def instances(scores=None, crowd=None):
    """A large one of class 1 and a small one of class 2 in its corner."""
    masks = np.zeros((6, 8, 2), bool)
    masks[:, :6, 0] = True
    masks[4:, 4:7, 1] = True
    return Instances.from_dense(masks, [1, 2], scores, crowd)


def test_the_smaller_instance_lies_on_top():
    expected = np.zeros((6, 8), int)
    expected[:, :6], expected[4:, 4:7] = 1, 2
    np.testing.assert_array_equal(instance_map(instances()), expected)


def test_the_better_detection_lies_on_top():
    found = instance_map(instances(np.array([0.9, 0.8])))
    assert (found[4:, 4:6] == 1).all()
    assert (found[4:, 6] == 2).all()


def test_classes_and_crowds():
    truth = instances(crowd=[True, False])
    found = class_map(truth, instance_map(truth))
    assert found.dtype == np.int32
    assert set(np.unique(found)) == {IGNORED, 0, 2}
    assert (found[:4, :6] == IGNORED).all()
    assert (found[4:, 4:7] == 2).all()
    assert (found[:, 7] == 0).all()


def test_an_empty_image_is_background():
    empty = Instances.empty(3, 4)
    np.testing.assert_array_equal(class_map(empty, instance_map(empty)), np.zeros((3, 4)))


def test_outlines_lie_on_both_sides_of_a_border_and_not_along_the_edge():
    positions = np.zeros((5, 8), np.int32)
    positions[:, 2:5], positions[:, 5:] = 1, 2
    expected = np.zeros((5, 8), bool)
    expected[:, [1, 2, 4, 5]] = True
    np.testing.assert_array_equal(outlines(positions), expected)


def test_scaling_takes_what_lies_under_each_centre():
    values = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(
        scale_nearest(values, 6, 8), values.repeat(2, axis=0).repeat(2, axis=1)
    )
    np.testing.assert_array_equal(scale_nearest(values, 1, 2), [[5, 7]])
    assert scale_nearest(values, 3, 4) is values
