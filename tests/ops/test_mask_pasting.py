"""Small masks to and from full-size ones, against the reference."""

import numpy as np
import pytest

from mrcnn_al.ops.images import Geometry
from mrcnn_al.ops.masks import minimize_mask, paste_mask

pytestmark = pytest.mark.every_backend


@pytest.fixture(scope="module")
def units(shared):
    return shared / "parity" / "units"


def pasted(mask, box, height, width):
    (y1, x1, y2, x2), small = paste_mask(mask, np.asarray(box), height, width)
    full = np.zeros((height, width), bool)
    full[y1:y2, x1:x2] = small
    return full


@pytest.mark.parametrize("index", range(5))
def test_pasted_as_the_reference(units, index):
    golden = np.load(units / "unmold_mask.npz")
    full = pasted(golden["masks"][index], golden[f"bbox_{index}"], 60, 80)
    np.testing.assert_array_equal(full, golden[f"full_{index}"])
    assert full.any()


def test_detections_unmolded_as_the_reference(units):
    golden = np.load(units / "unmold_detections.npz")
    count = len(golden["boxes"])
    rows = golden["detections"][:count]
    padded, original = (tuple(golden[f"{n}image_shape"][:2]) for n in ("", "original_"))
    geometry = Geometry(original, padded, tuple(golden["window"]), 128 / 130)
    boxes = np.around(geometry.to_original(rows[:, :4])).astype(int)
    np.testing.assert_array_equal(boxes, golden["boxes"])
    masks = golden["mrcnn_mask"][np.arange(count), ..., rows[:, 4].astype(int)]
    full = np.stack([pasted(m, b, *original) for m, b in zip(masks, boxes, strict=True)], -1)
    np.testing.assert_array_equal(full, golden["masks"])


@pytest.mark.parametrize("size", [56, 28])
def test_mini_masks_as_the_reference(units, size):
    golden = np.load(units / "mini_mask.npz")
    different = 0
    for index, (y1, x1, y2, x2) in enumerate(golden["bbox"]):
        mini = minimize_mask(golden["mask"][y1:y2, x1:x2, index], (size, size))
        assert mini.shape == (size, size)
        different += (mini != golden[f"mini_{size}"][..., index]).sum()
    # Border pixels at exactly one half.
    assert different <= 10


def test_mini_masks_of_training_images_as_the_reference(units):
    golden = np.load(units / "load_image_gt.npz")
    for image in (0, 1):
        for index, (y1, x1, y2, x2) in enumerate(golden[f"out_bbox_{image}"]):
            mask = golden[f"out_mask_{image}"][y1:y2, x1:x2, index]
            theirs = golden[f"out_mask_mini_{image}"][..., index]
            assert (minimize_mask(mask, (56, 56)) != theirs).sum() <= 4


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (4, 4), (20, 20)])
def test_a_full_mask_is_a_full_mini_mask(shape):
    assert minimize_mask(np.ones(shape, bool), (56, 56)).all()


def test_expanded_as_the_reference(units):
    golden = np.load(units / "mini_mask.npz")
    different = 0
    for index, box in enumerate(golden["bbox"]):
        full = pasted(golden["mini_56"][..., index].astype(float), box, 100, 120)
        different += (full != golden["expanded_from_56"][..., index]).sum()
    assert different <= 10


def test_a_box_with_fractions_covers_the_pixels_whose_centres_it_holds():
    full = pasted(np.ones((28, 28)), [2.4, 3.6, 7.4, 9.6], 12, 12)
    expected = np.zeros((12, 12), bool)
    expected[2:7, 4:10] = True
    np.testing.assert_array_equal(full, expected)


def test_a_mask_of_the_size_of_its_box_is_only_cut_at_one_half():
    full = pasted(np.full((28, 28), 0.6), [2, 3, 30, 31], 40, 40)
    expected = np.zeros((40, 40), bool)
    expected[2:30, 3:31] = True
    np.testing.assert_array_equal(full, expected)


def test_a_box_outside_the_image_gives_an_empty_mask_inside_it():
    box, mask = paste_mask(np.ones((28, 28)), np.array([20.0, 3, 25, 8]), 10, 10)
    assert mask.size == 0
    assert 0 <= box[0] <= box[2] <= 10


def test_a_box_across_the_border_is_cut_there():
    full = pasted(np.ones((28, 28)), [-4.0, -4, 4, 4], 10, 10)
    expected = np.zeros((10, 10), bool)
    expected[:4, :4] = True
    np.testing.assert_array_equal(full, expected)
