"""Every instance has a colour of its own in the image: where it goes, the mask must go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrcnn_al.instances import Instances, tight_box
from mrcnn_al.training.augmentation import (
    View,
    change_brightness,
    crop_instances,
    flip,
    random_crop,
    turn,
)

BACKGROUND = (9, 9, 9)
many = settings(max_examples=60, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def colour(class_id):
    return np.array((30 + 20 * class_id, 255 - 20 * class_id, 40), np.uint8)


@st.composite
def scenes(draw):
    """An image and its instances; class ids are unique, so they tell instances apart."""
    rng = np.random.default_rng(draw(seeds))
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    image = np.full((height, width, 3), BACKGROUND, np.uint8)
    masks = np.zeros((height, width, draw(st.integers(0, 6))), bool)
    free = np.ones((height, width), bool)
    for index in range(masks.shape[2]):
        y, x = rng.integers(height), rng.integers(width)
        part = np.s_[y : y + rng.integers(1, 16), x : x + rng.integers(1, 16)]
        masks[part][..., index] = rng.random(masks[part].shape[:2]) < 0.7
        masks[..., index] &= free
        free &= ~masks[..., index]
        image[masks[..., index]] = colour(index + 1)
    crowd = rng.random(masks.shape[2]) < 0.3
    ids = np.arange(1, masks.shape[2] + 1)
    return image, Instances.from_dense(masks, ids, crowd=crowd)


def assert_in_step(view, class_ids):
    """Masks lie exactly on their colours, boxes tightly around; nothing visible is missing."""
    found = dict(zip(view.instances.class_ids.tolist(), view.instances.dense().T, strict=True))
    for class_id in class_ids.tolist():
        painted = (view.image == colour(class_id)).all(axis=-1)
        assert (class_id in found) == painted.any()
        if painted.any():
            np.testing.assert_array_equal(found[class_id].T, painted)
    for box, mask in zip(view.instances.boxes, view.instances.masks, strict=True):
        assert tight_box(mask) == (0, 0, box[2] - box[0], box[3] - box[1])
    np.testing.assert_array_equal(view.boxes(), view.instances.boxes)


def assert_same(view, other):
    np.testing.assert_array_equal(view.image, other.image)
    for name in ("class_ids", "boxes", "crowd"):
        expected = getattr(other.instances, name)
        np.testing.assert_array_equal(getattr(view.instances, name), expected)
    np.testing.assert_array_equal(view.instances.dense(), other.instances.dense())


@many
@given(scenes(), st.integers(1, 64), st.sampled_from([0.0, 0.5, 1.0]), seeds)
def test_a_crop_keeps_masks_on_their_pixels(scene, size, foreground, seed):
    image, instances = scene
    view = random_crop(image, instances, size, 1.0, foreground, np.random.default_rng(seed))
    assert view.image.shape == (size, size, 3)
    assert_in_step(view, instances.class_ids)
    crowd = dict(zip(instances.class_ids, instances.crowd, strict=True))
    for class_id, is_crowd in zip(view.instances.class_ids, view.instances.crowd, strict=True):
        assert is_crowd == crowd[class_id]


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
    """One instance is white, all else black: pure pixels tell what the mask is at their centre."""
    _, instances = scene
    white = instances.select(np.arange(len(instances))[:1])
    image = np.repeat(white.dense().any(axis=2)[..., None], 3, axis=2).astype(np.uint8) * 255
    view = random_crop(image, white, size, scale, 0.5, np.random.default_rng(seed))
    side = max(1, round(size / scale))
    assert (view.instances.height, view.instances.width) == (side, side)
    centres = ((np.arange(size) + 0.5) * side / size).astype(int)
    mask = view.instances.dense().any(axis=2)[np.ix_(centres, centres)]
    assert mask[(view.image == 255).all(axis=-1)].all()
    assert not mask[(view.image == 0).all(axis=-1)].any()
    np.testing.assert_allclose(view.boxes(), view.instances.boxes * (size / side), rtol=1e-6)
    assert (view.boxes() <= size * (1 + 1e-6)).all()


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
def test_a_turn(scene):
    view = turn(View(*scene))
    np.testing.assert_array_equal(view.image, np.rot90(scene[0]))
    assert_in_step(view, scene[1].class_ids)
    assert_same(turn(turn(turn(view))), View(*scene))


@many
@given(scenes(), st.floats(0.1, 4.0))
def test_brightness_changes_pixels_alone(scene, factor):
    image, instances = scene
    view = change_brightness(View(image, instances), factor)
    assert view.instances is instances
    assert view.image.dtype == np.uint8
    np.testing.assert_allclose(view.image, np.minimum(image * factor, 255), atol=0.51)
