"""Which anchors the RPN learns from, and what."""

import numpy as np


def build_rpn_targets(
    anchors: np.ndarray,
    gt_class_ids: np.ndarray,
    gt_boxes: np.ndarray,
    count: int,
    std_dev,
    rng: np.random.Generator | np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray]:
    """Matches anchors with objects (Matterport's build_rpn_targets).

    Args:
        anchors: [A, 4] pixels.
        gt_class_ids: [G]; negative for crowds.
        gt_boxes: [G, 4] pixels, each with an area.
        count: anchors used at most; half of them may be positive.
        std_dev: what targets are divided by.
        rng: draws the anchors that are left out.

    Returns:
        match: int32 [A], 1 object, -1 background, 0 not used.
        targets: float32 [count, 4], of the positive anchors in their order, then zeros.
    """
    match = np.zeros(len(anchors), np.int32)
    targets = np.zeros((count, 4), np.float32)
    crowd = gt_class_ids < 0
    allowed = np.ones(len(anchors), bool)
    if crowd.any():
        allowed = anchor_overlaps(anchors, gt_boxes[crowd]).max(axis=1) < 0.001
    objects = gt_boxes[~crowd]
    best_object = np.zeros(len(anchors), int)
    if len(objects):
        overlaps = anchor_overlaps(anchors, objects)
        best_object = overlaps.argmax(axis=1)
        best_overlap = overlaps[np.arange(len(anchors)), best_object]
        match[(best_overlap < 0.3) & allowed] = -1
        match[(overlaps == overlaps.max(axis=0)).any(axis=1)] = 1
        match[best_overlap >= 0.7] = 1
    else:
        match[allowed] = -1

    _leave_out(match, 1, count // 2, rng)
    _leave_out(match, -1, count - np.count_nonzero(match == 1), rng)
    positive = np.flatnonzero(match == 1)
    if len(positive):
        refined = _refinement(anchors[positive], objects[best_object[positive]])
        targets[: len(positive)] = refined / np.asarray(std_dev)
    return match, targets


def anchor_overlaps(anchors: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """IoU of anchors [A, 4] with boxes [G, 4]: [A, G]."""
    # Objects are few: with them along the inner axis NumPy would take several times as long.
    a, b = np.ascontiguousarray(anchors.T)[:, None, :], boxes.T[:, :, None]
    overlap = np.minimum(a[2], b[2])
    overlap -= np.maximum(a[0], b[0])
    np.maximum(overlap, 0, out=overlap)
    width = np.minimum(a[3], b[3])
    width -= np.maximum(a[1], b[1])
    np.maximum(width, 0, out=width)
    overlap *= width
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap
    overlap /= union
    return overlap.T


def _leave_out(match, value, limit, rng):
    index = np.flatnonzero(match == value)
    extra = len(index) - limit
    if extra > 0:
        match[rng.choice(index, extra, replace=False)] = 0


def _refinement(anchors, boxes):
    size = anchors[:, 2:] - anchors[:, :2]
    target = boxes[:, 2:] - boxes[:, :2]
    shift = (boxes[:, :2] + 0.5 * target) - (anchors[:, :2] + 0.5 * size)
    return np.concatenate([shift / size, np.log(target / size)], axis=1)
