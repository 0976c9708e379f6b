"""RPN outputs to proposals."""

from keras import ops

from mrcnn_al.ops import backend
from mrcnn_al.ops import boxes as box_ops


def propose(
    scores,
    deltas,
    anchors,
    count: int,
    pre_nms_limit: int,
    nms_threshold: float,
    std_dev,
    drop_zero_area: bool,
):
    """The best anchors, moved by their deltas and thinned out (Matterport's ProposalLayer).

    Args:
        scores: foreground probabilities [B, A].
        deltas: [B, A, 4] as the network gives them.
        anchors: float32 [A, 4] normalised.
        count: proposals an image.
        pre_nms_limit: only so many of the best anchors are looked at.
        nms_threshold: IoU.
        std_dev: what the deltas were divided by.
        drop_zero_area: leave out boxes without area.

    Returns:
        [B, count, 4] normalised, clipped to 0..1, best score first; zero rows where fewer are
        left.
    """
    limit = min(pre_nms_limit, anchors.shape[0])
    scores, index = ops.top_k(scores, limit)
    deltas = ops.take_along_axis(deltas, index[..., None], axis=1)
    deltas = deltas * ops.convert_to_tensor(std_dev, "float32")
    anchors = ops.take(ops.convert_to_tensor(anchors, "float32"), index, axis=0)
    boxes = box_ops.apply_box_deltas(anchors, deltas)
    boxes = box_ops.clip_boxes(boxes, ops.convert_to_tensor([0.0, 0.0, 1.0, 1.0]))
    if drop_zero_area:
        scores = ops.where(box_ops.areas(boxes) > 0, scores, -1.0)

    index, kept = backend.map_images(
        lambda b, s: backend.greedy_suppression(b, s, count, nms_threshold, -0.5),
        (ops.stop_gradient(boxes), ops.stop_gradient(scores)),
        ("int32", "bool"),
    )
    proposals = ops.take_along_axis(boxes, index[..., None], axis=1)
    return ops.where(kept[..., None], proposals, 0.0)
