"""Classified RoIs to detections."""

from keras import ops

from mrcnn_al.ops import boxes as box_ops
from mrcnn_al.ops.nms import suppress


def refine_detections(
    rois,
    probabilities,
    deltas,
    windows,
    count: int,
    min_confidence,
    nms_threshold: float,
    std_dev,
    drop_zero_area: bool,
):
    """Filters RoIs and moves them onto their objects (Matterport's refine_detections_graph).

    Args:
        rois: [B, N, 4] normalised.
        probabilities: [B, N, classes].
        deltas: [B, N, classes, 4] as the network gives them.
        windows: [B, 4] normalised, where the image is inside the padding.
        count: the most detections an image.
        min_confidence: least probability of the best class, a number or a scalar tensor.
        nms_threshold: IoU, within a class.
        std_dev: what the deltas were divided by.
        drop_zero_area: leave out boxes without area.

    Returns:
        boxes: [B, count, 4] normalised, best score first; zero rows beyond the detections.
        class_ids: int32 [B, count], 0 beyond.
        scores: [B, count].
        probabilities: [B, count, classes].
    """
    class_ids = ops.cast(ops.argmax(probabilities, axis=-1), "int32")
    scores = ops.max(probabilities, axis=-1)
    deltas = ops.take_along_axis(deltas, class_ids[..., None, None], axis=2)[:, :, 0]
    boxes = box_ops.apply_box_deltas(rois, deltas * ops.convert_to_tensor(std_dev, "float32"))
    boxes = box_ops.clip_boxes(boxes, windows[:, None])

    wanted = (class_ids > 0) & (scores >= min_confidence)
    if drop_zero_area:
        wanted = wanted & (box_ops.areas(boxes) > 0)

    order = ops.argsort(ops.where(wanted, -scores, 2.0), axis=-1)
    boxes, class_ids, scores, probabilities, wanted = _reorder(
        order, boxes, class_ids, scores, probabilities, wanted
    )
    kept = suppress(boxes, wanted, nms_threshold, class_ids, count)
    order = ops.argsort(ops.where(kept, 0, 1), axis=-1)[:, :count]
    boxes, class_ids, scores, probabilities, kept = _reorder(
        order, boxes, class_ids, scores, probabilities, kept
    )
    boxes = ops.where(kept[..., None], boxes, 0.0)
    class_ids = ops.where(kept, class_ids, 0)
    scores = ops.where(kept, scores, 0.0)
    return boxes, class_ids, scores, probabilities


def _reorder(order, *tensors):
    result = []
    for tensor in tensors:
        index = order if len(tensor.shape) == 2 else order[..., None]
        result.append(ops.take_along_axis(tensor, index, axis=1))
    return result
