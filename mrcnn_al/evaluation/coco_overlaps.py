"""Which detections overlap which objects well enough for COCO to match them."""

from dataclasses import dataclass

import numpy as np

from mrcnn_al.instances import Instances

LOWEST_IOU = 0.5


@dataclass(frozen=True)
class Listed:
    """The instances of many images, one image after the other.

    Attributes:
        images: int [N], position of the image of each.
        class_ids: int [N].
        areas: int [N], pixels.
        crowd: bool [N].
        scores: float64 [N]; None for ground truth.
    """

    images: np.ndarray
    class_ids: np.ndarray
    areas: np.ndarray
    crowd: np.ndarray
    scores: np.ndarray | None


@dataclass(frozen=True)
class Overlaps:
    """Pairs of one image and class with an IoU of 0.5 or more.

    Attributes:
        found: int [P], the detection, in the order of `Listed`.
        truth: int [P], the object.
        ious: float64 [P]; with a crowd, the share of the detection inside it.
    """

    found: np.ndarray
    truth: np.ndarray
    ious: np.ndarray


class Comparison:
    """Compares the masks of one image after the other, inside of their boxes, and keeps none.

    An IoU is the quotient of two whole numbers, so it has the bits that pycocotools gets from
    run-length encodings of whole images. Pairs whose boxes and areas rule out 0.5 are skipped.
    """

    def __init__(self):
        self._found, self._truth = _Columns(), _Columns()
        self._rows, self._columns, self._shared = [], [], []

    def add(self, found: Instances, truth: Instances) -> None:
        """The detections, scored, and the objects of the next image."""
        row, column = self._found.length, self._truth.length
        found_areas, true_areas = self._found.add(found), self._truth.add(truth)
        if not len(found) or not len(truth):
            return
        for i, j in _possible_pairs(found, truth, found_areas, true_areas):
            self._rows.append(row + i)
            self._columns.append(column + j)
            self._shared.append(_shared_pixels(found, i, truth, j))

    def result(self) -> tuple[Listed, Listed, Overlaps]:
        """All detections so far, all objects, and which overlap."""
        found, truth = self._found.listed(scored=True), self._truth.listed(scored=False)
        rows, columns, shared = (
            np.array(values, int) for values in (self._rows, self._columns, self._shared)
        )
        areas = found.areas[rows], truth.areas[columns]
        ious = shared / _union(*areas, shared, truth.crowd[columns])
        kept = ious >= LOWEST_IOU
        return found, truth, Overlaps(rows[kept], columns[kept], ious[kept])


class _Columns:
    """What `Listed` has of the images so far."""

    def __init__(self):
        self.length = 0
        self._counts, self._class_ids, self._areas = [], [], []
        self._crowd, self._scores = [], []

    def add(self, instances):
        areas = instances.areas()
        self.length += len(instances)
        self._counts.append(len(instances))
        self._class_ids.append(instances.class_ids)
        self._areas.append(areas)
        self._crowd.append(instances.crowd)
        if len(instances):
            self._scores.append(instances.scores)
        return areas

    def listed(self, scored):
        return Listed(
            np.repeat(np.arange(len(self._counts)), self._counts),
            _joined(self._class_ids, int),
            _joined(self._areas, int),
            _joined(self._crowd, bool),
            _joined(self._scores, float) if scored else None,
        )


def _possible_pairs(detections, objects, found_areas, true_areas):
    boxes, others = detections.boxes[:, None], objects.boxes
    sides = np.minimum(boxes[..., 2:], others[:, 2:]) - np.maximum(boxes[..., :2], others[:, :2])
    sides = np.maximum(sides, 0)
    most = np.minimum(sides[..., 0] * sides[..., 1], np.minimum(found_areas[:, None], true_areas))
    least_union = _union(found_areas[:, None], true_areas, most, objects.crowd)
    possible = (most > 0) & (most >= LOWEST_IOU * least_union)
    possible &= detections.class_ids[:, None] == objects.class_ids
    return np.argwhere(possible).tolist()


def _shared_pixels(detections, i, objects, j):
    """The pixels that two masks have in common."""
    top, left, bottom, right = detections.boxes[i].tolist()
    other_top, other_left, other_bottom, other_right = objects.boxes[j].tolist()
    y1, y2 = max(top, other_top), min(bottom, other_bottom)
    x1, x2 = max(left, other_left), min(right, other_right)
    mask = detections.masks[i][y1 - top : y2 - top, x1 - left : x2 - left]
    other = objects.masks[j]
    other = other[y1 - other_top : y2 - other_top, x1 - other_left : x2 - other_left]
    return np.count_nonzero(np.logical_and(mask, other))


def _union(found_areas, true_areas, shared, crowd):
    """What COCO divides by: of a crowd, the detection counts alone."""
    return found_areas + np.where(crowd, 0, true_areas - shared)


def _joined(parts, dtype):
    return np.concatenate([np.zeros(0, dtype), *parts])
