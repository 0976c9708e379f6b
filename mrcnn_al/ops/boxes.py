"""Boxes (y1, x1, y2, x2) as tensors: normalising, deltas, overlaps.

Pixel boxes have y2 and x2 outside; normalised boxes are (box - [0, 0, 1, 1]) / [h-1, w-1, h-1,
w-1], as in the reference.
"""

import numpy as np
from keras import ops


def norm_scale(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """What normalising divides by and subtracts: two float32 [4]."""
    scale = np.array([height - 1, width - 1, height - 1, width - 1], np.float32)
    return scale, np.array([0, 0, 1, 1], np.float32)


def norm_boxes(boxes, height: int, width: int):
    """Pixel boxes to normalised ones (Matterport's norm_boxes). Array or tensor [..., 4]."""
    scale, shift = _as(boxes, *norm_scale(height, width))
    return (boxes - shift) / scale


def denorm_boxes(boxes, height: int, width: int):
    """Normalised boxes to pixels, without rounding. Array or tensor [..., 4]."""
    scale, shift = _as(boxes, *norm_scale(height, width))
    return boxes * scale + shift


def apply_box_deltas(boxes, deltas):
    """Moves and scales boxes (Matterport's apply_box_deltas_graph).

    Args:
        boxes: [..., 4].
        deltas: [..., 4] as (dy, dx, log dh, log dw), relative to centre and size.
    """
    height = boxes[..., 2] - boxes[..., 0]
    width = boxes[..., 3] - boxes[..., 1]
    center_y = boxes[..., 0] + 0.5 * height + deltas[..., 0] * height
    center_x = boxes[..., 1] + 0.5 * width + deltas[..., 1] * width
    height = height * ops.exp(deltas[..., 2])
    width = width * ops.exp(deltas[..., 3])
    y1 = center_y - 0.5 * height
    x1 = center_x - 0.5 * width
    return ops.stack([y1, x1, y1 + height, x1 + width], axis=-1)


def clip_boxes(boxes, window):
    """Clips boxes [..., 4] into a window broadcast to them (Matterport's clip_boxes_graph)."""
    low = ops.concatenate([window[..., :2], window[..., :2]], axis=-1)
    high = ops.concatenate([window[..., 2:], window[..., 2:]], axis=-1)
    return ops.maximum(ops.minimum(boxes, high), low)


def box_refinement(boxes, target_boxes):
    """The deltas that move boxes onto targets (Matterport's box_refinement_graph)."""
    height = boxes[..., 2] - boxes[..., 0]
    width = boxes[..., 3] - boxes[..., 1]
    center_y = boxes[..., 0] + 0.5 * height
    center_x = boxes[..., 1] + 0.5 * width
    target_height = target_boxes[..., 2] - target_boxes[..., 0]
    target_width = target_boxes[..., 3] - target_boxes[..., 1]
    target_center_y = target_boxes[..., 0] + 0.5 * target_height
    target_center_x = target_boxes[..., 1] + 0.5 * target_width
    return ops.stack(
        [
            (target_center_y - center_y) / height,
            (target_center_x - center_x) / width,
            ops.log(target_height / height),
            ops.log(target_width / width),
        ],
        axis=-1,
    )


def areas(boxes):
    """Areas of boxes [..., 4], negative sides counted as none."""
    height = ops.maximum(boxes[..., 2] - boxes[..., 0], 0)
    width = ops.maximum(boxes[..., 3] - boxes[..., 1], 0)
    return height * width


def overlaps(boxes1, boxes2):
    """IoU of each box of [..., N, 4] with each of [..., M, 4]: [..., N, M].

    0 where a box has no area (the reference gives NaN for two such boxes).
    """
    a, b = boxes1[..., :, None, :], boxes2[..., None, :, :]
    height = ops.minimum(a[..., 2], b[..., 2]) - ops.maximum(a[..., 0], b[..., 0])
    width = ops.minimum(a[..., 3], b[..., 3]) - ops.maximum(a[..., 1], b[..., 1])
    intersection = ops.maximum(height, 0) * ops.maximum(width, 0)
    union = areas(boxes1)[..., :, None] + areas(boxes2)[..., None, :] - intersection
    return ops.where(intersection > 0, intersection / ops.where(union > 0, union, 1), 0)


def _as(boxes, *constants):
    """Arrays beside arrays, tensors beside tensors: PyTorch does not mix them."""
    if isinstance(boxes, np.ndarray):
        return constants
    return tuple(ops.convert_to_tensor(constant) for constant in constants)
