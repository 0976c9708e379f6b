"""K-center greedy on many vectors, in little memory."""

import numpy as np

_POINTS, _CENTRES = 8192, 1024


def farthest_first(points: np.ndarray, centres: np.ndarray, count: int) -> list[int]:
    """Chooses, one after the other, the point that is farthest from its nearest centre.

    A chosen point becomes a centre. Equally far points are chosen by index. Without any centre
    the first choice is the point nearest to the mean of all. It takes one pass over the points
    for each choice, and hardly more memory than they do.

    Args:
        points: float32 [N, F]; moved in place, their mean to the origin.
        centres: float32 [M, F]; moved in place by as much.
        count: at most N.

    Returns:
        Indices of points, in the order of choice.
    """
    _centre(points, centres)
    norms = _norms(points)
    nearest = _nearest(points, norms, centres)
    chosen: list[int] = []
    for _ in range(count):
        first = not len(centres) and not chosen
        index = int(norms.argmin() if first else nearest.argmax())
        chosen.append(index)
        distances = points @ points[index]
        distances *= -2.0
        distances += norms
        distances += norms[index]
        np.minimum(nearest, np.maximum(distances, 0.0, out=distances), out=nearest)
        nearest[index] = -1.0
    return chosen


def squared_distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The squared distance of each point [N, F] to the nearest of M >= 1 centres, float32 [N].

    Both are moved in place as in `farthest_first`.
    """
    _centre(points, centres)
    return _nearest(points, _norms(points), centres)


def _centre(points, centres):
    """Near the origin the squares of the distances lose the fewest digits."""
    mean = points.mean(axis=0, dtype=np.float64).astype(np.float32)
    points -= mean
    centres -= mean


def _norms(points):
    return np.einsum("nf,nf->n", points, points)


def _nearest(points, norms, centres):
    nearest = np.full(len(points), np.inf, np.float32)
    centre_norms = _norms(centres)
    for start in range(0, len(points), _POINTS):
        rows = slice(start, start + _POINTS)
        for first in range(0, len(centres), _CENTRES):
            columns = slice(first, first + _CENTRES)
            distances = points[rows] @ centres[columns].T
            distances *= -2.0
            distances += centre_norms[columns]
            np.minimum(nearest[rows], distances.min(axis=1) + norms[rows], out=nearest[rows])
    return np.maximum(nearest, 0.0)
