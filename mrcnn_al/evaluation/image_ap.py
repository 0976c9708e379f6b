"""Average precision of a single image, as Matterport's notebooks show it.

COCO's mAP, over a whole set, is in `coco_map`. This one is for looking at one image: every class
in one list, one precision-recall curve.
"""

from dataclasses import dataclass

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.ops.boxes import overlaps as box_overlaps

COCO_THRESHOLDS = tuple(np.arange(0.5, 1.0, 0.05))


@dataclass(frozen=True)
class Matches:
    """Which detection found which object.

    Attributes:
        of_truth: int [G], index of the detection in order of score, -1 for none.
        of_found: int [N], in order of score: index of the object, -1 for none.
        overlaps: float [N, G], IoU of the masks, detections in order of score.
    """

    of_truth: np.ndarray
    of_found: np.ndarray
    overlaps: np.ndarray


@dataclass(frozen=True)
class ImageAP:
    """A precision-recall curve and the area under it.

    Attributes:
        value: average precision.
        precisions: float [N + 2], made to fall only, 0 after the last detection.
        recalls: float [N + 2], from 0 to 1.
        matches: behind the curve.
    """

    value: float
    precisions: np.ndarray
    recalls: np.ndarray
    matches: Matches


def mask_overlaps(first: Instances, second: Instances) -> np.ndarray:
    """IoU of masks, float32 [N, M] (Matterport's compute_overlaps_masks)."""
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)), np.float32)
    a, b = (x.dense().reshape(-1, len(x)).astype(np.float32) for x in (first, second))
    intersection = a.T @ b
    union = a.sum(axis=0)[:, None] + b.sum(axis=0)[None] - intersection
    return intersection / union


def match(truth: Instances, found: Instances, iou_threshold: float = 0.5) -> Matches:
    """Gives each detection, best score first, the free object it overlaps most of its class.

    Matterport's compute_matches: of equal scores the later detection comes first; objects are
    tried from the largest overlap down to the threshold.
    """
    order = np.argsort(found.scores, kind="stable")[::-1]
    overlaps = mask_overlaps(found.select(order), truth)
    of_truth, of_found = np.full(len(truth), -1), np.full(len(found), -1)
    for row, detection in enumerate(order):
        for column in np.argsort(overlaps[row], kind="stable")[::-1]:
            if overlaps[row, column] < iou_threshold:
                break
            same_class = found.class_ids[detection] == truth.class_ids[column]
            if of_truth[column] < 0 and same_class:
                of_truth[column], of_found[row] = row, column
                break
    return Matches(of_truth, of_found, overlaps)


def image_ap(truth: Instances, found: Instances, iou_threshold: float = 0.5) -> ImageAP:
    """Average precision of scored detections in one image (Matterport's compute_ap)."""
    matches = match(truth, found, iou_threshold)
    right = np.cumsum(matches.of_found >= 0)
    precisions = right / np.arange(1, len(found) + 1)
    recalls = right / max(len(truth), 1)
    precisions = np.concatenate([[0.0], precisions, [0.0]])
    recalls = np.concatenate([[0.0], recalls, [1.0]])
    precisions = np.maximum.accumulate(precisions[::-1])[::-1]
    value = float((np.diff(recalls) * precisions[1:]).sum())
    return ImageAP(value, precisions, recalls, matches)


def image_ap_range(truth: Instances, found: Instances, thresholds=COCO_THRESHOLDS) -> float:
    """The mean of `image_ap` over IoU thresholds (Matterport's compute_ap_range)."""
    return float(np.mean([image_ap(truth, found, threshold).value for threshold in thresholds]))


def box_recall(boxes: np.ndarray, objects: np.ndarray, iou: float) -> tuple[float, np.ndarray]:
    """How many objects some box overlaps best and well enough (Matterport's compute_recall).

    Args:
        boxes: [N, 4].
        objects: [G, 4].
        iou: the least overlap.

    Returns:
        The share of objects found, and the indices of the boxes that found one.
    """
    overlaps = np.asarray(box_overlaps(np.asarray(boxes), np.asarray(objects)))
    positive = np.flatnonzero(overlaps.max(axis=1, initial=0) >= iou)
    found = set(overlaps.argmax(axis=1)[positive].tolist()) if len(positive) else set()
    return len(found) / len(objects), positive
