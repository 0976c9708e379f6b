import numpy as np
import pytest

from mrcnn_al.ops.label_map import outlines
from mrcnn_al.unet.watershed import separate


def disc(shape, y, x, radius):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def split(foreground, contours=None, area=10, distance=5):
    labels = separate(foreground, contours, area, distance)
    assert labels.dtype == np.int32
    assert set(np.unique(labels)) | {0} == set(range(labels.max() + 1))
    return labels


def test_apart_is_apart():
    foreground = disc((40, 80), 20, 20, 9) | disc((40, 80), 20, 60, 9)
    labels = split(foreground)
    assert labels.max() == 2
    np.testing.assert_array_equal(labels > 0, foreground)


def test_discs_that_touch_are_parted_where_they_touch():
    shape = (40, 60)
    one, other = disc(shape, 20, 20, 10), disc(shape, 20, 36, 10)
    labels = split(one | other)
    assert labels.max() == 2
    for truth in (one, other):
        overlap = [((labels == n) & truth).sum() / ((labels == n) | truth).sum() for n in (1, 2)]
        assert max(overlap) > 0.85


def test_contours_part_what_the_shape_does_not():
    """Two halves of one rectangle."""
    positions = np.zeros((30, 60), np.int32)
    positions[5:25, 10:30], positions[5:25, 30:50] = 1, 2
    contours = outlines(positions).astype(np.float32)
    labels = split(positions > 0, contours)
    assert labels.max() == 2
    for number in (1, 2):
        assert len(np.unique(positions[labels == number])) == 1
    np.testing.assert_array_equal(labels > 0, positions > 0)


def test_what_has_no_inside_is_an_object_all_the_same():
    foreground = np.zeros((20, 40), bool)
    foreground[5:8, 3:37] = True
    labels = split(foreground, np.ones((20, 40)))
    np.testing.assert_array_equal(labels, foreground)


def test_small_parts_are_left_out():
    foreground = disc((40, 40), 20, 20, 9)
    foreground[0:2, 0:2] = True
    assert split(foreground, area=10)[0, 0] == 0
    assert split(foreground, area=4)[0, 0] > 0


@pytest.mark.parametrize("everything", [False, True])
def test_nothing_and_everything(everything):
    foreground = np.full((16, 24), everything)
    labels = split(foreground, np.zeros((16, 24)))
    assert labels.max() == everything
    np.testing.assert_array_equal(labels > 0, foreground)
