import numpy as np
import pytest

from mrcnn_al.instances import Instances, tight_box


@pytest.fixture
def dense() -> np.ndarray:
    masks = np.zeros((9, 7, 3), bool)
    masks[2:5, 1:3, 0] = True
    masks[3, 2, 0] = False
    masks[8, 6, 1] = True
    masks[:, :, 2] = True
    return masks


def test_dense_masks_survive_with_tight_boxes(dense):
    instances = Instances.from_dense(dense, [1, 2, 3])
    np.testing.assert_array_equal(instances.dense(), dense)
    assert instances.boxes.tolist() == [[2, 1, 5, 3], [8, 6, 9, 7], [0, 0, 9, 7]]
    assert instances.boxes.dtype == instances.class_ids.dtype == np.int32
    assert instances.areas().tolist() == [5, 1, 63]
    assert instances.scores is None
    assert instances.crowd.tolist() == [False, False, False]


def test_masks_without_a_pixel_are_left_out_with_their_values(dense):
    dense[:, :, 1] = False
    instances = Instances.from_dense(
        dense, [1, 2, 3], scores=np.array([0.9, 0.8, 0.7]), crowd=np.array([0, 1, 1])
    )
    assert instances.class_ids.tolist() == [1, 3]
    np.testing.assert_array_equal(instances.scores, np.float32([0.9, 0.7]))
    assert instances.crowd.tolist() == [False, True]


def test_run_lengths_survive(dense):
    instances = Instances.from_dense(dense, [1, 2, 3])
    rles = instances.rles()
    assert all(isinstance(rle["counts"], str) and rle["size"] == [9, 7] for rle in rles)
    again = Instances.from_rles(rles, [1, 2, 3], 9, 7)
    np.testing.assert_array_equal(again.dense(), dense)
    np.testing.assert_array_equal(again.boxes, instances.boxes)


def test_a_mask_of_another_size_is_refused(dense):
    rles = Instances.from_dense(dense, [1, 2, 3]).rles()
    with pytest.raises(ValueError, match="in an image of 7 x 9"):
        Instances.from_rles(rles, [1, 2, 3], 7, 9)


def test_masks_do_not_keep_the_full_planes_alive(dense):
    instances = Instances.from_dense(dense, [1, 2, 3])
    assert all(mask.base is None for mask in instances.masks)


@pytest.mark.parametrize(
    "index", [[2, 0], np.array([2, 0]), np.array([-1, 0]), (2, 0)], ids=lambda index: repr(index)
)
def test_select_keeps_the_order_of_the_index(dense, index):
    instances = Instances.from_dense(dense, [1, 2, 3], scores=np.array([0.1, 0.2, 0.3]))
    chosen = instances.select(index)
    assert chosen.class_ids.tolist() == [3, 1]
    np.testing.assert_array_equal(chosen.dense(), dense[:, :, [2, 0]])
    np.testing.assert_array_equal(chosen.scores, np.float32([0.3, 0.1]))


def test_select_by_a_boolean_index(dense):
    instances = Instances.from_dense(dense, [1, 2, 3])
    assert instances.select(np.array([False, True, True])).class_ids.tolist() == [2, 3]
    assert instances.select([True, False, False]).class_ids.tolist() == [1]
    assert len(instances.select(np.zeros(3, bool))) == 0


def test_select_nothing(dense):
    instances = Instances.from_dense(dense, [1, 2, 3], scores=np.ones(3))
    for nothing in ([], np.zeros(0, int), np.zeros(0)):
        chosen = instances.select(nothing)
        assert len(chosen) == 0
        assert chosen.scores.shape == (0,)
        assert chosen.dense().shape == (9, 7, 0)


def test_empty():
    plain, scored = Instances.empty(5, 6), Instances.empty(5, 6, scored=True)
    assert len(plain) == 0
    assert plain.scores is None
    assert scored.scores.shape == (0,)
    assert plain.boxes.shape == (0, 4)
    assert plain.dense().shape == (5, 6, 0)
    assert plain.rles() == []
    assert len(plain.select([])) == 0
    assert len(Instances.from_dense(np.zeros((5, 6, 0)), [])) == 0


@pytest.mark.parametrize("box", [[-1, 0, 2, 2], [0, 0, 6, 2], [3, 0, 2, 2], [0, 0, 2, 7]])
def test_boxes_outside_of_the_image_are_refused(box):
    with pytest.raises(ValueError, match="outside the image of 5 x 6"):
        Instances(5, 6, [1], [box], (np.ones((2, 2), bool),))


def test_a_mask_that_does_not_fill_its_box_is_refused():
    with pytest.raises(ValueError, match=r"Mask of shape \(2, 3\)"):
        Instances(5, 6, [1], [[0, 0, 2, 2]], (np.ones((2, 3), bool),))


def test_values_of_another_length_are_refused():
    with pytest.raises(ValueError, match="reshape"):
        Instances(5, 6, [1, 2], [[0, 0, 2, 2]], (np.ones((2, 2), bool),))


def test_tight_box():
    mask = np.zeros((4, 5), bool)
    assert tight_box(mask) is None
    mask[1, 4] = mask[3, 2] = True
    assert tight_box(mask) == (1, 2, 4, 5)


def test_visible_is_what_has_a_pixel():
    nothing = np.zeros((2, 3), bool)
    boxes = [[0, 0, 2, 3], [1, 1, 3, 4]]
    assert not Instances.empty(5, 5).visible
    assert not Instances(5, 5, [1, 1], boxes, (nothing, nothing)).visible
    assert Instances(5, 5, [1, 1], boxes, (nothing, ~nothing)).visible
