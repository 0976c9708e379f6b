"""Pixels change, masks do not, and nothing moves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted import many, scenes
from skimage.filters import gaussian

from mrcnn_al.training.appearance import (
    blur,
    change_brightness,
    change_contrast,
    change_saturation,
    turn_hue,
)
from mrcnn_al.training.augmentation import View, flip, turn

POINTWISE = (change_brightness, change_contrast, change_saturation, turn_hue)
GREYS = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)


def photo(seed, height=30, width=41):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


@many
@given(scenes(), st.sampled_from((*POINTWISE, blur)), st.floats(0.0, 4.0))
def test_instances_stay(scene, change, amount):
    view = change(View(*scene), amount)
    assert view.instances is scene[1]
    assert view.image.dtype == np.uint8
    assert view.image.shape == scene[0].shape


@many
@given(scenes(), st.sampled_from(POINTWISE), st.floats(0.1, 4.0))
def test_equal_pixels_stay_equal(scene, change, amount):
    """So what is one instance's colour is one colour afterwards, where it was."""
    image, instances = scene
    changed = change(View(image, instances), amount).image
    for mask in instances.dense().transpose(2, 0, 1):
        assert (changed[mask] == changed[mask][0]).all()


@many
@given(scenes(square=True), st.sampled_from((*POINTWISE, blur)), st.floats(0.1, 4.0))
def test_they_commute_with_mirrors_and_turns(scene, change, amount):
    view = View(*scene)
    for move in (flip, turn):
        one, other = change(move(view), amount).image, move(change(view, amount)).image
        # A blur adds up its pixels in another order then.
        np.testing.assert_allclose(one.astype(int), other, atol=3 if change is blur else 0)


@many
@given(scenes(), st.floats(0.1, 4.0))
def test_brightness(scene, factor):
    image, instances = scene
    view = change_brightness(View(image, instances), factor)
    np.testing.assert_allclose(view.image, np.minimum(image * factor, 255), atol=0.51)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7])
def test_contrast(factor):
    image = photo(0) // 2 + 60
    changed = change_contrast(View(image, None), factor).image
    centre = (image @ [0.299, 0.587, 0.114]).mean()
    expected = np.clip(centre + (image - centre) * factor, 0, 255)
    np.testing.assert_allclose(changed, expected, atol=0.51)


def test_saturation():
    image = photo(1)
    grey = change_saturation(View(image, None), 0.0).image
    expected = np.repeat((image @ [0.299, 0.587, 0.114])[..., None], 3, axis=2)
    np.testing.assert_allclose(grey, expected, atol=0.51)
    np.testing.assert_array_equal(change_saturation(View(image, None), 1.0).image, image)
    np.testing.assert_array_equal(change_saturation(View(GREYS, None), 3.0).image, GREYS)


def test_hue():
    red, green, blue = np.eye(3, dtype=np.uint8) * 255
    image = np.stack([[red, green, blue]])
    turned = turn_hue(View(image, None), 1 / 3).image.astype(int)
    np.testing.assert_allclose(turned, np.stack([[green, blue, red]]), atol=6)
    back = turn_hue(View(image, None), -1 / 3).image.astype(int)
    np.testing.assert_allclose(back, np.stack([[blue, red, green]]), atol=6)
    np.testing.assert_array_equal(turn_hue(View(GREYS, None), 0.4).image, GREYS)
    np.testing.assert_allclose(
        turn_hue(View(photo(2), None), 0.0).image.astype(int), photo(2), atol=6
    )


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.5, 5.0])
def test_a_blur_is_gaussian(sigma):
    image = photo(3, 60, 70)
    blurred = blur(View(image, None), sigma).image
    expected = gaussian(image, sigma, mode="nearest", preserve_range=True, channel_axis=2)
    difference = np.abs(blurred - expected)
    assert difference.mean() < 1.2
    # Within three sigma of the border the two differ in what they take to be beyond it.
    assert difference[15:-15, 15:-15].max() < 5


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0, 5.0])
def test_a_blur_moves_no_edge(sigma):
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 23:] = 255
    blurred = blur(View(image, None), sigma).image
    np.testing.assert_array_equal(blurred > 127, image > 127)
