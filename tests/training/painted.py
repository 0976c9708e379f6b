"""Scenes in which every instance has a colour of its own: where it goes, the mask must go."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from mrcnn_al.instances import Instances, tight_box

BACKGROUND = (9, 9, 9)
KINDS = ("blob", "pixel", "border", "whole")
many = settings(max_examples=60, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def colour(class_id):
    """Of an instance."""
    return np.array((30 + 20 * class_id, 255 - 20 * class_id, 40), np.uint8)


@st.composite
def scenes(draw, square=False):
    """An image and its instances; class ids are unique, so they tell instances apart.

    Instances of no pixel to all that others left, in pieces, along borders, some of them
    crowds.
    """
    rng = np.random.default_rng(draw(seeds))
    height = draw(st.integers(1, 40))
    width = height if square else draw(st.integers(1, 40))
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=6))
    image = np.full((height, width, 3), BACKGROUND, np.uint8)
    masks = np.zeros((height, width, len(kinds)), bool)
    free = np.ones((height, width), bool)
    for index, kind in enumerate(kinds):
        y, x = rng.integers(height), rng.integers(width)
        if kind == "blob":
            part = np.s_[y : y + rng.integers(1, 16), x : x + rng.integers(1, 16)]
            masks[part][..., index] = rng.random(masks[part].shape[:2]) < 0.7
        elif kind == "pixel":
            masks[y, x, index] = True
        elif kind == "border":
            masks[(np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1])[rng.integers(4)]][..., index] = (
                True
            )
        else:
            masks[..., index] = True
        masks[..., index] &= free
        free &= ~masks[..., index]
        image[masks[..., index]] = colour(index + 1)
    crowd = rng.random(len(kinds)) < 0.3
    return image, Instances.from_dense(masks, np.arange(1, len(kinds) + 1), crowd=crowd)


def assert_in_step(view, class_ids):
    """Masks lie exactly on their colours, boxes tightly around; nothing visible is missing."""
    found = dict(zip(view.instances.class_ids.tolist(), view.instances.dense().T, strict=True))
    for class_id in class_ids.tolist():
        painted = (view.image == colour(class_id)).all(axis=-1)
        assert (class_id in found) == painted.any()
        if painted.any():
            np.testing.assert_array_equal(found[class_id].T, painted)
    assert_tight(view)
    np.testing.assert_array_equal(view.boxes(), view.instances.boxes)


def assert_where_pure(view):
    """Of an image, white where the one instance is and black elsewhere, that was scaled.

    Where a pixel is wholly white or black, the mask at its centre says the same; boxes are the
    masks' tight ones, scaled.
    """
    shape, size = view.image.shape[:2], (view.instances.height, view.instances.width)
    rows, columns = (
        ((np.arange(pixels) + 0.5) * side / pixels).astype(int)
        for pixels, side in zip(shape, size, strict=True)
    )
    mask = view.instances.dense().any(axis=2)[np.ix_(rows, columns)]
    assert mask[(view.image == 255).all(axis=-1)].all()
    assert not mask[(view.image == 0).all(axis=-1)].any()
    assert_tight(view)
    factor = np.array([*shape, *shape]) / [*size, *size]
    np.testing.assert_allclose(view.boxes(), view.instances.boxes * factor, rtol=1e-6)
    assert (view.boxes() <= np.array([*shape, *shape]) * (1 + 1e-6)).all()


def white_on_black(instances):
    """The image of the first instance, and that instance."""
    white = instances.select(np.arange(len(instances))[:1])
    mask = white.dense().any(axis=2)[..., None]
    return np.repeat(mask, 3, axis=2).astype(np.uint8) * 255, white


def assert_same(view, other):
    """Pixels and instances."""
    np.testing.assert_array_equal(view.image, other.image)
    for name in ("class_ids", "boxes", "crowd"):
        expected = getattr(other.instances, name)
        np.testing.assert_array_equal(getattr(view.instances, name), expected)
    np.testing.assert_array_equal(view.instances.dense(), other.instances.dense())


def assert_tight(view):
    """Boxes are those of the masks."""
    for box, mask in zip(view.instances.boxes, view.instances.masks, strict=True):
        assert tight_box(mask) == (0, 0, box[2] - box[0], box[3] - box[1])


def assert_crowds_kept(view, instances):
    """A crowd stays a crowd."""
    crowd = dict(zip(instances.class_ids, instances.crowd, strict=True))
    for class_id, is_crowd in zip(view.instances.class_ids, view.instances.crowd, strict=True):
        assert is_crowd == crowd[class_id]
