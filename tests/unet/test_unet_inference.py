"""Pixel maps, instances out of them, and the committee of stochastic passes."""

import numpy as np
import pytest
from keras import ops
from small_unet import make_unet

from mrcnn_al.ops.images import fit_image
from mrcnn_al.unet.inference import PixelMaps


def noise(seed, height=64, width=64):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    return make_unet()


def assert_equal(one, other):
    np.testing.assert_array_equal(one.probabilities, other.probabilities)
    for name in ("class_ids", "boxes", "scores"):
        np.testing.assert_array_equal(getattr(one.instances, name), getattr(other.instances, name))
    np.testing.assert_array_equal(one.instances.dense(), other.instances.dense())


@pytest.mark.parametrize("size", [(64, 64), (70, 45), (200, 130), (3, 9)])
def test_maps_have_the_size_of_the_image(model, size):
    maps = model.inference.maps(noise(0, *size))
    assert maps.probabilities.shape == (*size, 3)
    assert maps.contours.shape == size
    np.testing.assert_allclose(maps.probabilities.sum(axis=-1), 1, atol=1e-5)
    (found,) = model.inference.detect([noise(0, *size)])
    assert (found.instances.height, found.instances.width) == size


def test_maps_are_the_networks_output_without_the_padding(model):
    molded, geometry = fit_image(noise(0, 70, 80), model.config)
    logits, contours = model.decode(*model.encode(molded[None]))
    top, left, bottom, right = geometry.window
    maps = model.inference.maps(noise(0, 70, 80))
    expected = ops.convert_to_numpy(ops.softmax(logits))[0, top:bottom, left:right]
    np.testing.assert_allclose(maps.probabilities, expected, atol=1e-5)
    expected = ops.convert_to_numpy(ops.sigmoid(contours))[0, top:bottom, left:right]
    np.testing.assert_allclose(maps.contours, expected, atol=1e-5)


def test_detections_of_maps(model):
    """Two objects of class 1, one of them surer, and one of class 2 that touches it."""
    probabilities = np.zeros((40, 60, 3), np.float32)
    probabilities[..., 0] = 1
    probabilities[5:15, 5:15] = (0.3, 0.6, 0.1)
    probabilities[5:25, 30:40] = (0.1, 0.9, 0.0)
    probabilities[5:25, 40:50] = (0.2, 0.1, 0.7)
    maps = PixelMaps(probabilities, None)
    found = model.inference.detections(maps)
    assert found.instances.class_ids.tolist() == [1, 2, 1]
    np.testing.assert_allclose(found.instances.scores, [0.9, 0.7, 0.6], rtol=1e-6)
    np.testing.assert_allclose(found.probabilities[1], (0.2, 0.1, 0.7), rtol=1e-6)
    assert found.instances.boxes[0].tolist() == [5, 30, 25, 40]
    assert found.instances.areas().tolist() == [200, 200, 100]
    assert found.instances.dense().sum(axis=-1).max() == 1
    assert len(model.inference.detections(maps, 0.65).instances) == 2


def test_nothing_found_is_an_empty_result(model):
    probabilities = np.zeros((40, 60, 3), np.float32)
    probabilities[..., 0] = 1
    found = model.inference.detections(PixelMaps(probabilities, None))
    assert len(found.instances) == 0
    assert found.instances.scores.shape == (0,)
    assert found.probabilities.shape == (0, 3)


def test_passes_differ_and_detect_does_not(model):
    inference = model.inference
    (once,), (again,) = inference.detect([noise(0)]), inference.detect([noise(0)])
    assert_equal(once, again)
    plain = inference.maps(noise(0)).probabilities
    passes = [maps.probabilities for maps in inference.sampled_maps(noise(0), 3, 1, 5)]
    for index, one in enumerate(passes):
        assert (one != plain).any()
        assert all((one != other).any() for other in passes[:index])


def test_a_rate_of_zero_makes_every_pass_a_detection():
    inference = make_unet(dropout_rate=0.0).inference
    expected = inference.maps(noise(0)).probabilities
    for maps in inference.sampled_maps(noise(0), 2, 1, 5):
        np.testing.assert_allclose(maps.probabilities, expected, atol=1e-5)


def test_a_pass_hangs_on_seed_key_and_number_alone(model):
    inference = model.inference
    together = inference.sample([noise(0), noise(1)], 2, seed=3, keys=[7, 9])
    swapped = inference.sample([noise(1), noise(0)], 2, seed=3, keys=[9, 7])
    ((second,),) = inference.sample([noise(0)], 1, seed=3, keys=[7], first_pass=1)
    for one, other in zip([*together[0], *together[1]], [*swapped[1], *swapped[0]], strict=True):
        assert_equal(one, other)
    assert_equal(second, together[0][1])
    ((other,),) = inference.sample([noise(0)], 1, seed=4, keys=[7])
    assert (other.probabilities.shape != together[0][0].probabilities.shape) or (
        other.probabilities != together[0][0].probabilities
    ).any()


def test_what_comes_before_dropout_runs_once(model, monkeypatch):
    inference, calls = model.inference, []
    encode = inference._encode
    monkeypatch.setattr(inference, "_encode", lambda images: calls.append(1) or encode(images))
    assert len(list(inference.sampled_maps(noise(0), 4, 1, 5))) == 4
    assert len(calls) == 1


def test_features_are_the_mean_of_the_bottleneck(model):
    molded, _ = fit_image(noise(0), model.config)
    _, bottom = model.encode(molded[None])
    expected = ops.convert_to_numpy(bottom).mean(axis=(1, 2))
    np.testing.assert_allclose(model.inference.features([noise(0)]), expected, rtol=1e-4)


def test_images_that_are_scaled_come_back_at_their_size():
    model = make_unet(image_min_scale=2.0)
    maps = model.inference.maps(noise(0, 50, 40))
    assert maps.probabilities.shape == (50, 40, 3)
    np.testing.assert_allclose(maps.probabilities.sum(axis=-1), 1, atol=1e-5)
