"""COCO's precision-recall curves."""

from dataclasses import dataclass

import numpy as np

from mrcnn_al.evaluation.coco_matching import (
    AREA_RANGES,
    IOU_THRESHOLDS,
    RIGHT,
    WRONG,
    Matching,
)
from mrcnn_al.evaluation.coco_overlaps import Listed

RECALL_LEVELS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class CurveTables:
    """Precision and recall, -1 where the ground truth has no object.

    Attributes:
        precision: float64 [10 IoU thresholds, 101 recall levels, classes, 4 area ranges].
        recall: float64 [10 IoU thresholds, classes, 4 area ranges], the highest reached.
    """

    precision: np.ndarray
    recall: np.ndarray


def curve_tables(found: Listed, truth: Listed, matching: Matching, class_count: int) -> CurveTables:
    """Follows precision down the ranking by score, as COCOeval accumulates it.

    Every sort is stable and every floating point operation in COCOeval's order, so that the
    results have the same bits.

    Args:
        found: the detections.
        truth: the objects.
        matching: of these.
        class_count: classes 1 to this one are evaluated.
    """
    ranges, thresholds = len(AREA_RANGES), len(IOU_THRESHOLDS)
    precision = -np.ones((thresholds, len(RECALL_LEVELS), class_count, ranges))
    recall = -np.ones((thresholds, class_count, ranges))
    for index in range(class_count):
        ranking = np.flatnonzero(found.class_ids == index + 1)
        ranking = ranking[np.argsort(-found.scores[ranking], kind="stable")]
        objects = matching.counted[truth.class_ids == index + 1].sum(axis=0)
        for area in np.flatnonzero(objects):
            outcome = matching.outcome[ranking, area].T
            precision[:, :, index, area], recall[:, index, area] = _curves(outcome, objects[area])
    return CurveTables(precision, recall)


def _curves(outcome, objects):
    """Precision at the recall levels and the highest recall, of a ranking.

    Args:
        outcome: uint8 [thresholds, N].
        objects: how many there are to be found.

    Returns:
        float64 [thresholds, levels] and [thresholds].
    """
    if not outcome.shape[1]:
        return np.zeros((len(outcome), len(RECALL_LEVELS))), np.zeros(len(outcome))
    right = np.cumsum(outcome == RIGHT, axis=1).astype(float)
    wrong = np.cumsum(outcome == WRONG, axis=1).astype(float)
    recall = right / objects
    precision = right / (wrong + right + np.spacing(1))
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # The precision of recall levels that are not reached.
    precision = np.pad(precision, ((0, 0), (0, 1)))
    reached = [np.searchsorted(row, RECALL_LEVELS, side="left") for row in recall]
    return np.take_along_axis(precision, np.array(reached), axis=1), recall[:, -1]
