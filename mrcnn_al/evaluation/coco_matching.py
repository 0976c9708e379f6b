"""COCO's matching of detections with objects, all images and thresholds at once."""

from dataclasses import dataclass

import numpy as np

from mrcnn_al.evaluation.coco_overlaps import Listed, Overlaps

# Of pycocotools.cocoeval.Params. Both bounds belong to a range.
IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
AREA_RANGES = np.array([[0, 1e5**2], [0, 32**2], [32**2, 96**2], [96**2, 1e5**2]])

WRONG, RIGHT, IGNORED = range(3)


@dataclass(frozen=True)
class Matching:
    """What became of each detection, and which objects it was about.

    Attributes:
        outcome: uint8 [N, 4 area ranges, 10 IoU thresholds], WRONG, RIGHT or IGNORED.
        counted: bool [G, 4 area ranges], the objects that are no crowd and inside of the range.
    """

    outcome: np.ndarray
    counted: np.ndarray


def match(found: Listed, truth: Listed, overlaps: Overlaps, max_detections: int) -> Matching:
    """Matches as COCOeval does: each detection, best score first, takes what it overlaps most.

    An object that counts goes before one that does not, and of equals the last. Ignored is a
    detection matched to an object that does not count, one of another area than the range
    without a match, and one beyond the number that counts.

    Args:
        found: the detections.
        truth: the objects.
        overlaps: of these.
        max_detections: how many of the best scored of a class count in an image.
    """
    ranks = _ranks(found)
    counted = ~(_outside(truth.areas) | truth.crowd[:, None])
    outcome = _in_turns(ranks, truth.crowd, counted, overlaps, max_detections)
    outcome[(outcome == WRONG) & _outside(found.areas)[:, :, None]] = IGNORED
    outcome[ranks >= max_detections] = IGNORED
    return Matching(outcome, counted)


def _outside(areas):
    """Whether an area is outside of each range, bool [N, ranges]."""
    return (areas[:, None] < AREA_RANGES[:, 0]) | (areas[:, None] > AREA_RANGES[:, 1])


def _ranks(found):
    """The place of each detection among those of its image and class, best score first."""
    order = np.lexsort((-found.scores, found.images, found.class_ids))
    images, classes = found.images[order], found.class_ids[order]
    first = np.ones(len(order), bool)
    first[1:] = (images[1:] != images[:-1]) | (classes[1:] != classes[:-1])
    place = np.arange(len(order))
    ranks = np.empty(len(order), int)
    ranks[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    return ranks


def _in_turns(ranks, crowd, counted, overlaps, max_detections):
    # Images and classes take their turns together, as they share no object. A detection's pairs
    # stand together, the best one last.
    order = np.lexsort((overlaps.truth, overlaps.ious, overlaps.found, ranks[overlaps.found]))
    detections, objects = overlaps.found[order], overlaps.truth[order]
    fits = overlaps.ious[order, None] >= np.minimum(IOU_THRESHOLDS, 1 - 1e-10)
    starts = np.flatnonzero(np.diff(detections, prepend=-1))
    turns = ranks[detections[starts]]
    bounds = np.append(starts, len(detections))

    shape = len(AREA_RANGES), len(IOU_THRESHOLDS)
    outcome = np.full((len(ranks), *shape), WRONG, np.uint8)
    taken = np.zeros((len(crowd), *shape), bool)
    for turn in np.unique(turns[turns < max_detections]):
        first, last = np.searchsorted(turns, [turn, turn + 1])
        begin, end = bounds[first], bounds[last]
        candidates = objects[begin:end]
        free = fits[begin:end, None] & ~(taken[candidates] & ~crowd[candidates, None, None])
        # What is not free has merit 0, what does not count 1 to `count`, what counts more.
        count = end - begin
        merit = np.arange(1, count + 1)[:, None] + count * counted[candidates]
        merit = np.where(free, merit[:, :, None], 0)
        best = np.maximum.reduceat(merit, starts[first:last] - begin, axis=0)
        hit = best > 0
        outcome[detections[starts[first:last]]] = np.where(best > count, RIGHT, hit * IGNORED)
        chosen = candidates[(best[hit] - 1) % count]
        taken[chosen, *np.nonzero(hit)[1:]] = True
    return outcome
