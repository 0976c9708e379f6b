"""Instances to maps of pixels, and back to the resolution of a network (NumPy)."""

import numpy as np

from mrcnn_al.instances import Instances

IGNORED = -1


def instance_map(instances: Instances) -> np.ndarray:
    """Which instance each pixel belongs to, int32 [H, W]: its position + 1, 0 for none.

    Where instances overlap, a better score lies on top, and without scores the smaller one:
    what is large is not lost behind what is small.
    """
    order = np.argsort(-instances.areas(), kind="stable")
    if instances.scores is not None:
        order = np.argsort(instances.scores, kind="stable")
    result = np.zeros((instances.height, instances.width), np.int32)
    for index in order:
        y1, x1, y2, x2 = instances.boxes[index]
        result[y1:y2, x1:x2][instances.masks[index]] = index + 1
    return result


def class_map(instances: Instances, positions: np.ndarray) -> np.ndarray:
    """The class of each pixel, int32 [H, W]: 0 for background, IGNORED inside crowds.

    Args:
        instances: of the image.
        positions: what `instance_map` made of them, perhaps scaled.
    """
    class_ids = np.where(instances.crowd, IGNORED, instances.class_ids)
    return np.concatenate([[0], class_ids]).astype(np.int32)[positions]


def outlines(positions: np.ndarray) -> np.ndarray:
    """Where any of the eight neighbours belongs to another instance or to none, bool [H, W].

    That is a line of two pixels, one on either side of each border.
    """
    padded = np.pad(positions, 1, mode="edge")
    height, width = positions.shape
    result = np.zeros(positions.shape, bool)
    for top in range(3):
        for left in range(3):
            result |= padded[top : top + height, left : left + width] != positions
    return result


def scale_nearest(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """A map [H, W] at another size, each pixel the one that lies under its centre."""
    if values.shape == (height, width):
        return values
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.int64)
        for new, old in zip((height, width), values.shape, strict=True)
    )
    return values[rows[:, None], columns[None]]
