"""Non-maximum suppression as a fixed point of whole-matrix operations."""

from keras import ops

from mrcnn_al.ops import boxes as box_ops


def suppress(boxes, candidates, iou_threshold: float, class_ids=None):
    """Greedy NMS of boxes that are already sorted by falling score.

    A box is kept when no kept box before it overlaps it by more than the threshold. Starting
    from all candidates, the rule is applied to all boxes at once until nothing changes; each
    round settles at least the first unsettled box, so the end is the greedy result, usually
    after a handful of rounds.

    Args:
        boxes: [B, N, 4].
        candidates: bool [B, N]; the others neither stay nor suppress.
        iou_threshold: strict.
        class_ids: [B, N]; where given, boxes of different classes do not suppress each other.

    Returns:
        bool [B, N].
    """
    overlap = box_ops.overlaps(boxes, boxes) > iou_threshold
    if class_ids is not None:
        overlap = overlap & (class_ids[:, :, None] == class_ids[:, None, :])
    size = boxes.shape[1]
    index = ops.arange(size)
    earlier = index[None, :] < index[:, None]
    suppressors = ops.cast(overlap & earlier[None] & candidates[:, None, :], "float32")

    def settle(keep):
        hits = ops.matmul(suppressors, ops.cast(keep, "float32")[..., None])[..., 0]
        return candidates & (hits < 0.5)

    first = settle(candidates)
    final, _ = ops.while_loop(
        lambda keep, before: ops.any(ops.logical_xor(keep, before)),
        lambda keep, before: (settle(keep), keep),
        (first, candidates),
    )
    return final
