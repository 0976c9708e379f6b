"""RoIAlign: the reference's values, half-pixel sampling, and both versions alike."""

import keras
import numpy as np
import pytest
from gradients import differentiate
from keras import ops

from mrcnn_al.ops import backend
from mrcnn_al.ops.roi_align import pyramid_levels, roi_align

pytestmark = pytest.mark.every_backend

VERSIONS = {"backend": backend.crop_levels, "everywhere": backend.crop_levels_everywhere}
STRIDES = (4, 8, 16, 32)


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "parity" / "units" / "roi_align.npz")


@pytest.fixture(scope="module")
def crops(shared):
    return np.load(shared / "parity" / "units" / "crop_and_resize.npz")


def tensor(array, dtype="float32"):
    return ops.convert_to_tensor(np.asarray(array, dtype))


def pyramid(golden):
    return [tensor(golden[f"P{level}"]) for level in (2, 3, 4, 5)]


def test_levels_as_the_reference(golden):
    levels = pyramid_levels(tensor(golden["boxes"].reshape(-1, 4)), 512 * 512)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(levels).reshape(golden["level"].shape), golden["level"]
    )
    assert set(golden["level"].ravel()) == {2, 3, 4, 5}


def test_a_box_without_area_goes_to_the_finest_level():
    levels = pyramid_levels(tensor([[0, 0, 0, 0], [0.2, 0.2, 0.2, 0.9]]), 512 * 512)
    np.testing.assert_array_equal(ops.convert_to_numpy(levels), [2, 2])


def test_twice_the_side_of_level_4_is_a_level_finer():
    sides = np.array([300, 200, 100, 40], np.float32) / 512
    boxes = tensor(np.stack([0 * sides, 0 * sides, sides, sides], axis=-1))
    levels = [ops.convert_to_numpy(pyramid_levels(boxes, 512 * 512, s)) for s in (224.0, 448.0)]
    np.testing.assert_array_equal(levels, [[4, 4, 3, 2], [3, 3, 2, 2]])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [7, 14])
def test_pooled_features_as_the_reference(golden, version, size):
    boxes = golden["boxes"].reshape(-1, 4)
    index = np.repeat(np.arange(2), golden["boxes"].shape[1])
    pooled = VERSIONS[version](
        pyramid(golden),
        tensor(boxes),
        tensor(index, "int32"),
        tensor(golden["level"].reshape(-1) - 2, "int32"),
        size,
    )
    expected = golden[f"pool{size}"].reshape(-1, size, size, 3)
    np.testing.assert_allclose(ops.convert_to_numpy(pooled), expected, atol=2e-6)


@pytest.mark.parametrize("size", [7, 14])
def test_roi_align_as_the_reference(golden, size):
    index = tensor(np.repeat(np.arange(2), golden["boxes"].shape[1]), "int32")
    boxes = tensor(golden["boxes"].reshape(-1, 4))
    pooled = roi_align(pyramid(golden), boxes, index, (512, 512), size, half_pixel=False)
    expected = golden[f"pool{size}"].reshape(-1, size, size, 3)
    np.testing.assert_allclose(ops.convert_to_numpy(pooled), expected, atol=2e-6)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [1, 7])
def test_crops_outside_turned_over_and_of_points(crops, version, size):
    pooled = VERSIONS[version](
        [tensor(crops["image"])],
        tensor(crops["boxes"]),
        tensor(crops["box_ind"], "int32"),
        tensor(np.zeros(9), "int32"),
        size,
    )
    expected = crops[f"crop_{size}x{size}"]
    np.testing.assert_allclose(ops.convert_to_numpy(pooled), expected, atol=1e-6)


def test_both_versions_agree_on_random_boxes_of_all_levels():
    rng = np.random.default_rng(0)
    features = [tensor(rng.normal(size=(3, 64 // s, 96 // s, 5))) for s in (1, 2, 4, 8)]
    boxes = tensor(rng.uniform(-0.3, 1.3, (200, 4)))
    index = tensor(rng.integers(0, 3, 200), "int32")
    level = tensor(rng.integers(0, 4, 200), "int32")
    one, other = (
        ops.convert_to_numpy(version(features, boxes, index, level, 5))
        for version in VERSIONS.values()
    )
    # A sample within rounding of the border may be inside for one and outside for the other.
    close = np.isclose(one, other, atol=1e-5).all(axis=-1)
    assert close.mean() > 0.999


def test_no_box_at_all_gives_no_rows():
    features = [tensor(np.ones((1, 8 // s, 8 // s, 3))) for s in (1, 2, 4, 8)]
    pooled = roi_align(
        features, tensor(np.zeros((0, 4))), tensor([], "int32"), (32, 32), 7, half_pixel=True
    )
    assert tuple(pooled.shape) == (0, 7, 7, 3)


def test_half_pixel_samples_lie_at_the_centres_of_the_bins():
    size, extent = 4, 512
    # Every cell holds the pixel position of its own centre, so a sample says where it was taken.
    features = []
    for stride in STRIDES:
        centre = (np.arange(extent // stride) + 0.5) * stride
        features.append(tensor(np.stack(np.meshgrid(centre, centre, indexing="ij"), -1)[None]))
    pixels = np.array([[40, 80, 60, 110], [100, 60, 228, 200], [64, 96, 448, 400]], np.float32)
    boxes = (pixels - [0, 0, 1, 1]) / (extent - 1)
    index = tensor(np.zeros(3), "int32")
    pooled = roi_align(features, tensor(boxes), index, (extent, extent), size, half_pixel=True)
    for samples, (y1, x1, y2, x2) in zip(ops.convert_to_numpy(pooled), pixels, strict=True):
        bins = (np.arange(size) + 0.5) / size
        np.testing.assert_allclose(samples[:, 0, 0], y1 + bins * (y2 - y1), atol=1e-2)
        np.testing.assert_allclose(samples[0, :, 1], x1 + bins * (x2 - x1), atol=1e-2)


def test_no_gradient_reaches_the_boxes():
    rng = np.random.default_rng(0)
    feature = keras.Variable(rng.normal(size=(1, 16, 16, 2)).astype(np.float32))
    boxes = keras.Variable(np.array([[0.1, 0.1, 0.8, 0.7]], np.float32))

    def squares():
        maps = [feature.value[:, ::step, ::step] for step in (1, 2, 4, 8)]
        index = tensor(np.zeros(1), "int32")
        pooled = roi_align(maps, boxes.value, index, (64, 64), 7, half_pixel=True)
        return ops.sum(pooled**2), {}

    _, (to_feature, to_boxes) = differentiate(squares, [feature, boxes])
    assert to_boxes is None or not to_boxes.any()
    assert np.abs(to_feature).max() > 0


@pytest.mark.parametrize("version", VERSIONS)
def test_the_gradient_of_a_bfloat16_map_is_a_sum_in_float32(version):
    feature = keras.Variable(np.zeros((1, 2, 2, 1), np.float32), dtype="bfloat16")
    count = 1000
    boxes, zeros = tensor(np.zeros((count, 4))), ops.zeros((count,), dtype="int32")

    def total():
        return ops.sum(VERSIONS[version]([feature.value], boxes, zeros, zeros, 1)), {}

    _, (gradient,) = differentiate(total, [feature])
    # In steps of one a sum in bfloat16 gets no further than 256.
    expected = tensor([[[[count], [0]], [[0], [0]]]], "bfloat16")
    np.testing.assert_array_equal(gradient, ops.convert_to_numpy(expected))
