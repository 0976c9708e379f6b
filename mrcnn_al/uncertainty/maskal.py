"""The uncertainty of MaskAL (Blok et al. 2022, arXiv 2112.06586)."""

from collections.abc import Sequence

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.uncertainty.entropy import entropy

LEAST_IOU = 0.5
# A pixel belongs to the average mask of a set when this share of its masks covers it.
AVERAGE_SHARE = 0.25

InstanceSet = list[tuple[int, int]]


def maskal_uncertainties(
    passes: Sequence[Instances], probabilities: Sequence[np.ndarray]
) -> np.ndarray:
    """1 - certainty of each instance set: semantic x spatial x occurrence certainty.

    - Semantic: 1 - H / ln K, H the entropy of the distribution over the K classes without the
      background, meant over the set. Where there is a single class, its probability instead, as in
      the authors' code since November 2021.
    - Spatial: the mean IoU of the boxes with the average box, times the mean IoU of the masks
      with the average mask.
    - Occurrence: the size of the set / T.

    The original takes the mean or the minimum of the certainties over the sets; those are one
    minus the mean and the maximum of these numbers.

    Args:
        passes: the detections of T passes over one image, best first.
        probabilities: for each pass float [N_t, C], the class distributions of its detections,
            of the background first.

    Returns:
        float64 [sets], each in [0, 1]; empty where nothing was detected.
    """
    return np.array(
        [
            1.0 - _semantic(members, probabilities) * _spatial(members, passes) * occurrence
            for members in instance_sets(passes)
            for occurrence in [len(members) / len(passes)]
        ]
    )


def instance_sets(passes: Sequence[Instances]) -> list[InstanceSet]:
    """Groups detections that are of one object by all appearances.

    A detection joins the set whose first member's mask it overlaps most, by an IoU above 0.5,
    whatever the classes; otherwise it founds a set. Of one pass a set takes one detection, the
    better one: the original sees to that by suppressing boxes across classes.

    Returns:
        Sets of (pass, index), in the order of their founding.
    """
    sets: list[InstanceSet] = []
    for number, instances in enumerate(passes):
        founders = [(passes[first], index) for (first, index), *_ in sets]
        overlaps = _mask_ious(instances, founders)
        for index in range(len(instances)):
            best = int(overlaps[index].argmax()) if founders else -1
            if founders and overlaps[index, best] > LEAST_IOU:
                sets[best].append((number, index))
                overlaps[:, best] = 0.0
            else:
                sets.append([(number, index)])
    return sets


def _mask_ious(instances, others):
    """IoUs [N, M] with single instances of other passes; 0 where not above LEAST_IOU."""
    result = np.zeros((len(instances), len(others)))
    if not result.size:
        return result
    boxes = instances.boxes.astype(np.int64)
    other_boxes = np.array([other.boxes[index] for other, index in others], np.int64)
    shared = _intersections(boxes, other_boxes)
    areas = instances.areas()
    other_areas = np.array([np.count_nonzero(other.masks[index]) for other, index in others])
    # The masks share no more pixels than the boxes, and their union has those of the larger.
    larger = np.maximum(areas[:, None], other_areas[None])
    for row, column in np.argwhere(shared > LEAST_IOU * larger):
        other, index = others[column]
        both = _shared_pixels(
            boxes[row], instances.masks[row], other_boxes[column], other.masks[index]
        )
        union = areas[row] + other_areas[column] - both
        iou = both / union if union else 0.0
        result[row, column] = iou if iou > LEAST_IOU else 0.0
    return result


def _semantic(members, probabilities):
    rows = [probabilities[number][index][1:] for number, index in members]
    foreground = np.array(rows, np.float64)
    classes = foreground.shape[1]
    if classes == 1:
        return float(foreground.mean())
    total = foreground.sum(axis=1, keepdims=True)
    # Where all is background, no class is likelier than another.
    equal = np.full_like(foreground, 1.0 / classes)
    distributions = np.divide(foreground, total, out=equal, where=total > 0)
    return float(np.clip(1.0 - entropy(distributions).mean() / np.log(classes), 0.0, 1.0))


def _spatial(members, passes):
    boxes = np.array([passes[number].boxes[index] for number, index in members], np.int64)
    masks = [passes[number].masks[index] for number, index in members]
    return _box_agreement(boxes) * _mask_agreement(boxes, masks)


def _box_agreement(boxes):
    mean = boxes.mean(axis=0, keepdims=True)
    shared = _intersections(boxes, mean)[:, 0]
    union = _areas(boxes) + _areas(mean) - shared
    return float(np.divide(shared, union, out=np.zeros(len(boxes)), where=union > 0).mean())


def _mask_agreement(boxes, masks):
    top, left = boxes[:, :2].min(axis=0)
    bottom, right = boxes[:, 2:].max(axis=0)
    counts = np.zeros((bottom - top, right - left), np.int32)
    windows = [(slice(y1 - top, y2 - top), slice(x1 - left, x2 - left)) for y1, x1, y2, x2 in boxes]
    for window, mask in zip(windows, masks, strict=True):
        counts[window] += mask
    average = counts >= AVERAGE_SHARE * len(masks)
    covered, total = np.count_nonzero(average), 0.0
    for window, mask in zip(windows, masks, strict=True):
        both = np.count_nonzero(average[window] & mask)
        union = covered + np.count_nonzero(mask) - both
        total += both / union if union else 0.0
    return total / len(masks)


def _intersections(boxes, others):
    """Pixels that boxes [N, 4] share with others [M, 4], [N, M]."""
    corner = np.maximum(boxes[:, None, :2], others[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.maximum(opposite - corner, 0).prod(axis=2)


def _areas(boxes):
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _shared_pixels(box, mask, other_box, other_mask):
    y1, x1 = np.maximum(box[:2], other_box[:2])
    y2, x2 = np.minimum(box[2:], other_box[2:])
    ours = mask[y1 - box[0] : y2 - box[0], x1 - box[1] : x2 - box[1]]
    theirs = other_mask[
        y1 - other_box[0] : y2 - other_box[0], x1 - other_box[1] : x2 - other_box[1]
    ]
    return np.count_nonzero(ours & theirs)
