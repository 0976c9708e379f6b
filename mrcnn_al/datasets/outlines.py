"""The polygons of many annotations in a few flat arrays."""

import numpy as np

from mrcnn_al.datasets.coco_segmentation import FARTHEST, LONGEST_OUTLINE
from mrcnn_al.datasets.ragged import gathered, offsets


class Outlines:
    """P polygons of A annotations, one after the other.

    Args:
        coordinates: float64, x and y in turn, pixels.
        lengths: int64 [P], how many coordinates each polygon has, at least one.
        counts: int64 [A], how many polygons each annotation has.
    """

    def __init__(self, coordinates: np.ndarray, lengths: np.ndarray, counts: np.ndarray):
        self._coordinates, self._lengths, self._counts = coordinates, lengths, counts
        self._begins, self._first = offsets(lengths), offsets(counts)

    def of(self, row: int) -> list[np.ndarray]:
        """The polygons of an annotation."""
        bounds = self._begins[self._first[row] : self._first[row + 1] + 1].tolist()
        return [self._coordinates[bounds[i] : bounds[i + 1]] for i in range(len(bounds) - 1)]

    def suspicious(self) -> np.ndarray:
        """The annotations that `check_outlines` may have something against: bool [A]."""
        result = np.zeros(len(self._counts), bool)
        if not len(self._lengths):
            return result
        low = np.minimum.reduceat(self._coordinates, self._begins[:-1])
        high = np.maximum.reduceat(self._coordinates, self._begins[:-1])
        # So written that it is false for NaN, too.
        near = (low > -FARTHEST) & (high < FARTHEST)
        bound = np.full(len(self._lengths), np.inf)
        bound[near] = (high[near] - low[near]) * self._lengths[near]
        drawn = self._counts > 0
        result[drawn] = np.add.reduceat(bound, self._first[:-1][drawn]) > LONGEST_OUTLINE
        return result

    def select(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates, lengths and counts of some annotations, in the order of `rows`."""
        counts, first = self._counts[rows], self._first[rows]
        begins = self._begins[first]
        sizes = self._begins[self._first[rows + 1]] - begins
        return (
            gathered(self._coordinates, begins, sizes),
            gathered(self._lengths, first, counts),
            counts,
        )
