"""The pooled features of the backbone."""

import keras
import numpy as np
import pytest
from keras import ops

from mrcnn_al.config import ModelConfig
from mrcnn_al.model import MaskRCNN
from mrcnn_al.ops.images import Geometry, mold_image, place_image, plan_resize


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return MaskRCNN(ModelConfig.preset("cpu", num_classes=3, image_min_dim=128, image_max_dim=128))


def noise(*size):
    return np.random.default_rng(len(size)).integers(0, 256, (*size, 3), dtype=np.uint8)


def last_map(model, image):
    config = model.config
    geometry = plan_resize(*image.shape[:2], "square", 128, 128, config.image_min_scale)
    placed = place_image(image, geometry, config.reference_resampling)
    molded = mold_image(placed, config.mean_pixel, config.pixel_scale)[None]
    return ops.convert_to_numpy(model.backbone(molded)[-1])[0], geometry


def test_features_are_the_mean_of_the_last_map(model):
    images = [noise(128, 128), noise(128, 128) // 2]
    features = model.inference.features(images)
    assert features.dtype == np.float32
    assert features.shape == (2, model.backbone.outputs[-1].shape[-1])
    for image, vector in zip(images, features, strict=True):
        expected = last_map(model, image)[0].mean(axis=(0, 1))
        np.testing.assert_allclose(vector, expected, rtol=1e-4, atol=1e-5)


def test_padding_is_left_out(model):
    """An image of 64 x 128 pixels covers the middle two of four rows of cells."""
    image = noise(64, 128)
    last, geometry = last_map(model, image)
    assert geometry.window == (32, 0, 96, 128)
    assert last.shape[:2] == (4, 4)
    (vector,) = model.inference.features([image])
    np.testing.assert_allclose(vector, last[1:3].mean(axis=(0, 1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_cells_count_by_their_share_of_the_image(seed):
    rng = np.random.default_rng(seed)
    top, left = rng.integers(0, 60, 2)
    window = (top, left, top + rng.integers(1, 128 - top), left + rng.integers(1, 96 - left))
    pixels = np.zeros((128, 96))
    pixels[window[0] : window[2], window[1] : window[3]] = 1
    expected = pixels.reshape(4, 32, 3, 32).mean(axis=(1, 3))
    geometry = Geometry((1, 1), (128, 96), window, 1)
    np.testing.assert_allclose(geometry.cover(32), expected, rtol=1e-6)
