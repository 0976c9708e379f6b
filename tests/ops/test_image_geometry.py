"""Scaling and padding images as the reference does, and the way back for boxes."""

import numpy as np
import pytest

from mrcnn_al.ops.images import Geometry, mold_image, place_image, plan_resize, scale_image

# Values that lie on a whole number are truncated to either side of it; doubling has the most.
pytestmark = pytest.mark.every_backend

SHARE_OF_OTHER_GREYS = 0.023


@pytest.fixture(scope="module")
def units(shared):
    return shared / "parity" / "units"


def assert_greys_agree(ours, theirs):
    difference = np.abs(ours.astype(int) - theirs.astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < SHARE_OF_OTHER_GREYS


@pytest.mark.parametrize(
    ("case", "mode"),
    [
        ("none", "none"),
        ("square_up", "square"),
        ("square_limit", "square"),
        ("square_down", "square"),
        ("square_minscale", "square"),
        ("pad64", "pad64"),
        ("pad64_up", "pad64"),
    ],
)
def test_resized_as_the_reference(units, case, mode):
    golden = np.load(units / "resize_image.npz")
    min_dim, max_dim, min_scale = golden[f"{case}__args"]
    image = golden["image"]
    geometry = plan_resize(*image.shape[:2], mode, int(min_dim), int(max_dim), min_scale)
    assert geometry.window == tuple(golden[f"{case}__window"])
    assert geometry.scale == pytest.approx(float(golden[f"{case}__scale"]), rel=1e-12)
    assert geometry.padded == golden[f"{case}__out"].shape[:2]
    (top, bottom), (left, right), _ = golden[f"{case}__padding"]
    y1, x1, y2, x2 = geometry.window
    assert (y1, geometry.padded[0] - y2, x1, geometry.padded[1] - x2) == (top, bottom, left, right)
    assert_greys_agree(place_image(image, geometry, reference=True), golden[f"{case}__out"])


@pytest.mark.parametrize("index", [0, 1])
def test_training_images_scaled_as_the_reference(units, index):
    golden = np.load(units / "load_image_gt.npz")
    image, meta = golden[f"image_{index}"], golden[f"out_meta_{index}"]
    geometry = plan_resize(*image.shape[:2], "square", 128, 128, 0)
    assert geometry.window == tuple(meta[7:11])
    assert geometry.scale == pytest.approx(meta[11])
    assert_greys_agree(place_image(image, geometry, reference=True), golden[f"out_image_{index}"])


@pytest.mark.parametrize("size", [(20, 31), (5, 6), (18, 26)])
def test_scaling_truncates_the_reference_floats(units, size):
    golden = np.load(units / "resize_basic.npz")
    scaled = scale_image(golden["uint8_in"], *size, reference=True)
    exact = golden["uint8_preserve_{}x{}".format(*size)]
    assert ((scaled <= exact + 1e-9) & (scaled > exact - 1 - 1e-9)).all()


def test_molded_as_the_reference(units):
    golden = np.load(units / "mold_image.npz")
    molded = mold_image(golden["image"], golden["mean_pixel"])
    assert molded.dtype == np.float32
    np.testing.assert_allclose(molded, golden["molded"], atol=1e-5)


def test_pixel_scale_applies_after_the_mean():
    molded = mold_image(np.full((1, 1, 3), 255, np.uint8), (127, 127, 127), 1 / 128)
    np.testing.assert_array_equal(molded, np.ones((1, 1, 3), np.float32))


def test_an_image_of_the_right_size_is_not_touched():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    for reference in (True, False):
        np.testing.assert_array_equal(scale_image(image, 4, 4, reference), image)


def test_padding_is_black_and_outside_the_window():
    image = np.full((10, 20, 3), 200, np.uint8)
    geometry = plan_resize(10, 20, "pad64", 1, 1, 0)
    placed = place_image(image, geometry, reference=False)
    assert geometry == Geometry((10, 20), (64, 64), (27, 22, 37, 42), 1)
    assert (placed[27:37, 22:42] == 200).all()
    assert placed.sum() == 200 * image.size


@pytest.mark.parametrize("way", ["to_original", "to_original_half_pixel"])
def test_the_window_comes_back_as_the_whole_image(way):
    geometry = plan_resize(120, 160, "square", 128, 128, 0)
    box = getattr(geometry, way)(geometry.norm_window()[None])
    np.testing.assert_allclose(box, [[0, 0, 120, 160]], atol=1e-4)


def test_half_pixel_boxes_come_back_by_the_scale_alone():
    geometry = plan_resize(50, 80, "pad64", 1, 1, 2.0)
    top, left = geometry.window[:2]
    pixels = np.array([[top + 11, left + 20, top + 37, left + 91]])
    height, width = geometry.padded
    box = (pixels - [0, 0, 1, 1]) / [height - 1, width - 1, height - 1, width - 1]
    back = geometry.to_original_half_pixel(box)
    np.testing.assert_allclose(back, [[5.5, 10, 18.5, 45.5]], atol=1e-5)
