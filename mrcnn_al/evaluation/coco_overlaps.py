"""Which detections overlap which objects well enough for COCO to match them."""

from collections.abc import Callable, Sequence
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

    @classmethod
    def of(cls, images: Sequence[Instances], scored: bool = False) -> "Listed":
        """Lists the instances of all images in their order."""
        scores = [i.scores for i in images if len(i)] if scored else None
        return cls(
            np.repeat(np.arange(len(images)), [len(instances) for instances in images]),
            _joined([instances.class_ids for instances in images], int),
            _joined([instances.areas() for instances in images], int),
            _joined([instances.crowd for instances in images], bool),
            None if scores is None else _joined(scores, float),
        )


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


def find_overlaps(
    found: Sequence[Instances],
    truth: Sequence[Instances],
    found_areas: np.ndarray,
    true_areas: np.ndarray,
    advance: Callable[[], None],
) -> Overlaps:
    """Compares masks inside of their boxes, image by image.

    An IoU is the quotient of two whole numbers, so it has the bits that pycocotools gets from
    run-length encodings of whole images. Pairs whose boxes and areas rule out 0.5 are skipped.

    Args:
        found: detections of each image.
        truth: ground truth of the same images.
        found_areas: int [N], of all detections, pixels.
        true_areas: int [G], of all objects, pixels.
        advance: called after each image.
    """
    rows, columns, shared = [], [], []
    row = column = 0
    for detections, objects in zip(found, truth, strict=True):
        row_end, column_end = row + len(detections), column + len(objects)
        if row < row_end and column < column_end:
            areas = found_areas[row:row_end], true_areas[column:column_end]
            for i, j in _possible_pairs(detections, objects, *areas):
                rows.append(row + i)
                columns.append(column + j)
                shared.append(_shared_pixels(detections, i, objects, j))
        row, column = row_end, column_end
        advance()
    rows, columns, shared = (np.array(values, int) for values in (rows, columns, shared))
    crowd = _joined([objects.crowd for objects in truth], bool)
    ious = shared / _union(found_areas[rows], true_areas[columns], shared, crowd[columns])
    kept = ious >= LOWEST_IOU
    return Overlaps(rows[kept], columns[kept], ious[kept])


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
