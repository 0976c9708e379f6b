"""Images and objects that are the same everywhere."""

import numpy as np

from mrcnn_al.instances import Instances


def make_image(size: int, seed: int = 0) -> np.ndarray:
    """Noise, uint8 [size, size, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3)).astype(np.uint8)


def make_boxes(size: int, count: int, seed: int = 0) -> np.ndarray:
    """Boxes inside an image, int32 [count, 4] pixels (y1, x1, y2, x2)."""
    rng = np.random.default_rng(seed)
    sides = rng.integers(max(4, size // 24), max(8, size // 10), (count, 2))
    corners = rng.integers(0, size - sides)
    return np.concatenate([corners, corners + sides], axis=1).astype(np.int32)


def make_instances(size: int, count: int, classes: int, seed: int = 0) -> Instances:
    """Full boxes of all classes but the background."""
    boxes = make_boxes(size, count, seed)
    masks = tuple(np.ones((y2 - y1, x2 - x1), bool) for y1, x1, y2, x2 in boxes)
    class_ids = 1 + np.arange(count, dtype=np.int32) % (classes - 1)
    return Instances(size, size, class_ids, boxes, masks)
