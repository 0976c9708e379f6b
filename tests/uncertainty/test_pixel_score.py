import numpy as np
import pytest

from mrcnn_al.instances import Instances
from mrcnn_al.uncertainty.pixel_score import score_pixels


def one_pass(columns):
    mask = np.zeros((4, 6, 1), bool)
    mask[1:3, :columns] = True
    return Instances.from_dense(mask, [1], np.array([0.8]))


PASSES = [one_pass(2), one_pass(4)]
DISTRIBUTIONS = [np.array([[0.2, 0.8]])] * 2


def pool(mean, objects):
    return score_pixels("a", PASSES, DISTRIBUTIONS, mean, objects)


@pytest.fixture
def maps():
    """Object 1 has the class with 0.9 and 0.7, object 2 with 0.6; certain outside."""
    mean = np.zeros((4, 6, 2))
    mean[..., 0] = 1
    objects = np.zeros((4, 6), np.int32)
    for columns, number, chance in ((0, 1, 0.9), (1, 1, 0.7), (3, 2, 0.6)):
        mean[1:3, columns] = (1 - chance, chance)
        objects[1:3, columns] = number
    return mean, objects


def test_objects_have_the_mean_of_their_pixels_and_images_the_aggregate(maps):
    row = pool(*maps)
    assert row.least_confident == pytest.approx(0.4)
    assert row.least_confident_mean == pytest.approx((0.2 + 0.4) / 2)
    assert row.least_confident_sum == pytest.approx(0.6)
    assert row.margin == pytest.approx(1 - 0.2)
    chances = np.array([0.9, 0.7])
    first = -(chances * np.log(chances) + (1 - chances) * np.log(1 - chances)).mean()
    second = -(0.6 * np.log(0.6) + 0.4 * np.log(0.4))
    assert row.entropy == pytest.approx(max(first, second))
    assert row.entropy_sum == pytest.approx(first + second)


def test_the_rest_is_of_the_instances(maps):
    row = pool(*maps)
    assert (row.passes, row.detections, row.detected_passes) == (2, 1.0, 2)
    # Four pixels are covered in one of two passes.
    assert row.mask == pytest.approx(4 * 0.25)
    assert row.mask_by_class == ((1, 1.0),)
    assert 0 < row.maskal < 1


def test_numbers_of_objects_may_have_gaps(maps):
    mean, objects = maps
    row = pool(mean, np.where(objects == 1, 7, objects))
    assert row == pool(mean, objects)


def test_nothing_seen_is_no_uncertainty():
    empty = Instances.empty(4, 6, scored=True)
    row = score_pixels(
        "a", [empty], [np.zeros((0, 2))], np.full((4, 6, 2), 0.5), np.zeros((4, 6), int)
    )
    assert row.undetected
    assert (row.least_confident, row.entropy_sum, row.mask, row.maskal) == (0, 0, 0, 1)


def test_maps_of_another_size_are_refused(maps):
    with pytest.raises(ValueError, match="Image a"):
        pool(maps[0], maps[1][:2])
