"""Every instance has a colour of its own in the image: where it goes, the mask must go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted import (
    BACKGROUND,
    assert_crowds_kept,
    assert_in_step,
    assert_same,
    assert_where_pure,
    many,
    scenes,
    seeds,
    white_on_black,
)

from mrcnn_al.instances import Instances
from mrcnn_al.training.augmentation import (
    View,
    crop_instances,
    flip,
    flip_vertically,
    random_crop,
    turn,
)


@many
@given(scenes(), st.integers(1, 64), st.sampled_from([0.0, 0.5, 1.0]), seeds)
def test_a_crop_keeps_masks_on_their_pixels(scene, size, foreground, seed):
    image, instances = scene
    view = random_crop(image, instances, size, 1.0, foreground, np.random.default_rng(seed))
    assert view.image.shape == (size, size, 3)
    assert_in_step(view, instances.class_ids)
    assert_crowds_kept(view, instances)


@many
@given(scenes(), st.integers(1, 64), st.sampled_from([0.0, 1.0]), seeds)
def test_a_crop_wastes_no_room(scene, size, foreground, seed):
    """Beyond the image only where it must: all of a side that fits, no border on one that fills."""
    image, instances = scene
    view = random_crop(image, instances, size, 1.0, foreground, np.random.default_rng(seed))
    inside = view.image.any(axis=-1)
    height, width = (min(size, extent) for extent in image.shape[:2])
    assert inside.any(axis=1).sum() == height
    assert inside.any(axis=0).sum() == width
    assert inside.sum() == height * width


@many
@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 64), seeds, st.data())
def test_a_foreground_crop_holds_an_instance(height, width, size, seed, data):
    y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    mask = np.zeros((height, width, 1), bool)
    mask[y, x] = True
    instances = Instances.from_dense(mask, [1])
    image = np.zeros((height, width, 3), np.uint8)
    view = random_crop(image, instances, size, 1.0, 1.0, np.random.default_rng(seed))
    assert len(view.instances) == 1


@pytest.mark.parametrize("foreground", [0.0, 1.0])
def test_crops_reach_every_place(foreground):
    image = np.zeros((20, 30, 3), np.uint8)
    image[..., 0] = np.arange(20)[:, None] + 1
    image[..., 1] = np.arange(30)
    mask = np.zeros((20, 30, 1), bool)
    mask[10, 10] = True
    instances, rng = Instances.from_dense(mask, [1]), np.random.default_rng(0)
    crops = [random_crop(image, instances, 8, 1.0, foreground, rng).image for _ in range(3000)]
    corners = {tuple(crop[0, 0, :2].tolist()) for crop in crops}
    tops, lefts = (range(3, 11), range(3, 11)) if foreground else (range(13), range(23))
    assert corners == {(top + 1, left) for top in tops for left in lefts}


@many
@given(scenes(), st.integers(1, 64), st.floats(0.3, 4.0), seeds)
def test_a_scaled_crop_keeps_masks_where_the_pixels_are(scene, size, scale, seed):
    image, white = white_on_black(scene[1])
    view = random_crop(image, white, size, scale, 0.5, np.random.default_rng(seed))
    side = max(1, round(size / scale))
    assert (view.instances.height, view.instances.width) == (side, side)
    assert_where_pure(view)


@many
@given(scenes(), *[st.integers(-20, 50)] * 2, *[st.integers(1, 60)] * 2)
def test_any_rectangle_can_be_cut(scene, top, left, height, width):
    image, instances = scene
    canvas = np.full((200, 200, 3), BACKGROUND, np.uint8)
    canvas[50 : 50 + image.shape[0], 50 : 50 + image.shape[1]] = image
    cut = canvas[50 + top : 50 + top + height, 50 + left : 50 + left + width]
    view = View(cut, crop_instances(instances, top, left, height, width))
    assert_in_step(view, instances.class_ids)


@many
@given(scenes())
def test_a_mirror_image(scene):
    view = flip(View(*scene))
    np.testing.assert_array_equal(view.image, scene[0][:, ::-1])
    assert_in_step(view, scene[1].class_ids)
    assert_same(flip(view), View(*scene))


@many
@given(scenes())
def test_a_mirror_image_upside_down(scene):
    view = flip_vertically(View(*scene))
    np.testing.assert_array_equal(view.image, scene[0][::-1])
    assert_in_step(view, scene[1].class_ids)
    assert_same(flip_vertically(view), View(*scene))
    assert_same(flip(view), turn(turn(View(*scene))))


@many
@given(scenes())
def test_a_turn(scene):
    view = turn(View(*scene))
    np.testing.assert_array_equal(view.image, np.rot90(scene[0]))
    assert_in_step(view, scene[1].class_ids)
    assert_same(turn(turn(turn(view))), View(*scene))
