"""What the second stage is to learn from each proposal."""

from keras import ops

from mrcnn_al.ops import backend, random
from mrcnn_al.ops import boxes as box_ops


def detection_targets(
    proposals,
    gt_class_ids,
    gt_boxes,
    gt_masks,
    seeds,
    *,
    rois_per_image: int,
    positive_ratio: float,
    std_dev,
    mask_size: int,
    mini_masks: bool,
    half_pixel: bool,
    fill_with_negatives: bool,
):
    """Draws RoIs and their targets (Matterport's DetectionTargetLayer).

    Args:
        proposals: [B, P, 4] normalised; zero rows are no proposals.
        gt_class_ids: int32 [B, G]; 0 is padding, below 0 a crowd.
        gt_boxes: [B, G, 4] normalised.
        gt_masks: [B, G, h, w], of the boxes where `mini_masks`, else of the images.
        seeds: int32 [B], of the draw.
        rois_per_image: T, rows of the result.
        positive_ratio: the largest share of positive RoIs.
        std_dev: what box targets are divided by.
        mask_size: side of the mask targets.
        mini_masks: see `gt_masks`.
        half_pixel: mask targets are sampled at the centres of their pixels; off: the outer
            samples lie on the edges of the RoI, as in the reference.
        fill_with_negatives: as many negatives as there is room for; off: in proportion to
            the positives, so none without a positive.

    Returns:
        rois: [B, T, 4] positives, negatives, zero rows.
        class_ids: int32 [B, T], 0 for all but positives.
        deltas: [B, T, 4].
        masks: [B, Tp, mask_size, mask_size] of 0 and 1, of the first Tp = int(T *
            positive_ratio) rows, among which all positives are.
    """
    is_proposal = ops.any(ops.not_equal(proposals, 0), axis=-1)
    constant = ops.stop_gradient(proposals)
    overlap = box_ops.overlaps(constant, gt_boxes)
    of_object = ops.where((gt_class_ids > 0)[:, None], overlap, -1.0)
    best_overlap = ops.max(of_object, axis=-1)
    best_object = ops.cast(ops.argmax(of_object, axis=-1), "int32")
    crowd_overlap = ops.max(ops.where((gt_class_ids < 0)[:, None], overlap, 0.0), axis=-1)
    positive = is_proposal & (best_overlap >= 0.5)
    negative = is_proposal & (best_overlap < 0.5) & (crowd_overlap < 0.001)

    count = proposals.shape[1]
    most_positive = int(rois_per_image * positive_ratio)
    keys = random.combine(seeds[:, None], ops.arange(count, dtype="int32")[None])
    priority = random.uniform(keys)
    positive_index, positive_kept = _draw(positive, priority, most_positive)
    positives = ops.sum(ops.cast(positive_kept, "int32"), axis=-1, keepdims=True)
    if fill_with_negatives:
        negatives = rois_per_image - positives
    else:
        share = ops.cast(positives, "float32") * (1.0 / positive_ratio)
        negatives = ops.cast(share, "int32") - positives
    negative_index, negative_kept = _draw(negative, priority, rois_per_image)
    rank = ops.arange(negative_index.shape[1], dtype="int32")[None]
    negative_kept = negative_kept & (rank < negatives)

    index = ops.concatenate([positive_index, negative_index], axis=1)
    kept = ops.concatenate([positive_kept, negative_kept], axis=1)
    is_positive = ops.concatenate([positive_kept, ops.zeros_like(negative_kept)], axis=1)
    pack = ops.argsort(ops.where(kept, 0, 1), axis=-1)[:, :rois_per_image]
    index = ops.take_along_axis(index, pack, axis=1)
    kept = ops.take_along_axis(kept, pack, axis=1)
    is_positive = ops.take_along_axis(is_positive, pack, axis=1)
    index, kept, is_positive = _pad_rows(rois_per_image, index, kept, is_positive)

    rois = ops.take_along_axis(proposals, index[..., None], axis=1)
    rois = ops.where(kept[..., None], rois, 0.0)
    object_index = ops.take_along_axis(best_object, index, axis=1)
    class_ids = ops.where(is_positive, ops.take_along_axis(gt_class_ids, object_index, axis=1), 0)
    # Rows without a target get harmless boxes, so that no logarithm of zero enters a gradient.
    unit = ops.convert_to_tensor([0.0, 0.0, 1.0, 1.0])
    target_boxes = ops.take_along_axis(gt_boxes, object_index[..., None], axis=1)
    target_boxes = ops.where(is_positive[..., None], target_boxes, unit)
    safe_rois = ops.where(is_positive[..., None], rois, unit)
    deltas = box_ops.box_refinement(safe_rois, target_boxes)
    deltas = deltas / ops.convert_to_tensor(std_dev, "float32")
    deltas = ops.where(is_positive[..., None], deltas, 0.0)

    masks = _mask_targets(
        ops.stop_gradient(safe_rois[:, :most_positive]),
        target_boxes[:, :most_positive],
        object_index[:, :most_positive],
        gt_masks,
        mask_size,
        mini_masks,
        half_pixel,
    )
    masks = ops.where(is_positive[:, :most_positive, None, None], masks, 0.0)
    return rois, class_ids, deltas, masks


def _draw(candidates, priority, count):
    limit = min(count, candidates.shape[1])
    drawn, index = ops.top_k(ops.where(candidates, 1.0 + priority, 0.0), limit)
    return ops.cast(index, "int32"), drawn > 0.5


def _pad_rows(count, *tensors):
    missing = count - tensors[0].shape[1]
    if missing <= 0:
        return tensors
    return tuple(ops.pad(t, [[0, 0], [0, missing]]) for t in tensors)


def _mask_targets(rois, boxes, object_index, gt_masks, size, mini_masks, half_pixel):
    objects, height, width = gt_masks.shape[1:]
    if mini_masks:
        extent = boxes[..., 2:] - boxes[..., :2]
        origin = ops.concatenate([boxes[..., :2], boxes[..., :2]], axis=-1)
        relative = (rois - origin) / ops.concatenate([extent, extent], axis=-1)
    else:
        relative = rois
    flat_masks = ops.reshape(ops.cast(gt_masks, "float32"), (-1, height, width, 1))
    rows = object_index.shape[1]
    batch_offset = ops.arange(ops.shape(gt_masks)[0], dtype="int32")[:, None] * objects
    image_index = ops.reshape(object_index + batch_offset, (-1,))
    relative = ops.reshape(relative, (-1, 4))
    if half_pixel:
        # A border of zeros lets the half-level contour reach the edge of the mask.
        flat_masks = ops.pad(flat_masks, [[0, 0], [1, 1], [1, 1], [0, 0]])
        relative = _pixel_centres(relative, height, width, size, mini_masks)
    level = ops.zeros_like(image_index)
    masks = backend.crop_levels([flat_masks], relative, image_index, level, size)
    return ops.reshape(ops.round(masks), (-1, rows, size, size))


def _pixel_centres(boxes, height, width, size, mini_masks):
    columns = []
    for axis, extent in ((0, height), (1, width)):
        if mini_masks:
            start, end = boxes[:, axis] * extent, boxes[:, axis + 2] * extent
        else:
            start, end = boxes[:, axis] * (extent - 1), boxes[:, axis + 2] * (extent - 1) + 1
        half = 0.5 * (end - start) / size
        columns.append((start + half + 0.5) / (extent + 1))
        columns.append((end - half + 0.5) / (extent + 1))
    y1, y2, x1, x2 = columns
    return ops.stack([y1, x1, y2, x2], axis=-1)
