"""Anchors of a feature pyramid."""

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=16)
def pyramid_anchors(
    scales: tuple[float, ...],
    ratios: tuple[float, ...],
    image_size: tuple[int, int],
    strides: tuple[int, ...],
    anchor_stride: int = 1,
) -> np.ndarray:
    """All anchors of an image (Matterport's generate_pyramid_anchors).

    Args:
        scales: side of a square anchor, one a level, pixels.
        ratios: width / height.
        image_size: height and width of the network's input, pixels.
        strides: of the levels, pixels; a level has ceil(size / stride) cells.
        anchor_stride: every so many cells have anchors.

    Returns:
        float64 [A, 4] pixels (y1, x1, y2, x2), in the order level, y, x, ratio. Centres are
        at (i * stride, j * stride), without a half-pixel offset. Made once, not writable.
    """
    levels = []
    root = np.sqrt(np.asarray(ratios, np.float64))
    for scale, stride in zip(scales, strides, strict=True):
        cells = [int(np.ceil(size / stride)) for size in image_size]
        center_y = np.arange(0, cells[0], anchor_stride) * stride
        center_x = np.arange(0, cells[1], anchor_stride) * stride
        y, x, height = np.meshgrid(center_y, center_x, scale / root, indexing="ij")
        width = np.broadcast_to(scale * root, height.shape)
        boxes = np.stack(
            [y - 0.5 * height, x - 0.5 * width, y + 0.5 * height, x + 0.5 * width], axis=-1
        )
        levels.append(boxes.reshape(-1, 4))
    anchors = np.concatenate(levels)
    anchors.setflags(write=False)
    return anchors
