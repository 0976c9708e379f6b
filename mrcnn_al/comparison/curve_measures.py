"""Single numbers of learning curves, which run straight from point to point.

A curve is two arrays: x, strictly increasing, the labels that were paid for, images or
instances; y, the quality that they bought.
"""

from collections.abc import Sequence

import numpy as np

from mrcnn_al.evaluation.learning_curve import area_under_curve

Numbers = Sequence[float] | np.ndarray


def area_between(x: Numbers, y: Numbers, low: float, high: float) -> float:
    """The mean height of a curve from `low` to `high`: its area there over the width.

    Args:
        x: [N].
        y: [N].
        low: at least x[0].
        high: at least `low`, at most x[-1]; where it is `low`, the height there is meant.

    Returns:
        In the unit of y.

    Raises:
        ValueError: the range is not within the curve, or that is none.
    """
    x, y = _curve(x, y)
    if not x[0] <= low <= high <= x[-1]:
        raise ValueError(f"{low} to {high} is not within the curve from {x[0]} to {x[-1]}.")
    if low == high:
        return float(np.interp(low, x, y))
    inside = x[(low < x) & (x < high)]
    at = np.concatenate([[low], inside, [high]])
    return area_under_curve(at, np.interp(at, x, y))


def normalised_area(area: float, first: float, full: float | None) -> float | None:
    """Which part of the way from the first point to the full-data model, in the mean over x.

    The mean of (y - first) / (full - first). 0 is a curve that stays where it begins, 1 one that
    is at once as good as with all labels; above 1 or below 0 are possible.

    Args:
        area: the mean height, see `area_between`.
        first: the height of the first point.
        full: that of the model trained on all data; None where there is none.

    Returns:
        None without `full`, or where it is not above `first`: there is no way to go then.
    """
    if full is None or not full > first:
        return None
    return (area - first) / (full - first)


def crossings(
    x: Numbers, y: Numbers, other_x: Numbers, other_y: Numbers
) -> list[tuple[float, int]]:
    """Where one curve crosses another, over the range that they have in common.

    Where they run together for a while, the crossing is where they part again; to touch and turn
    back is none, nor is to part for the first time.

    Returns:
        The x of each crossing, ascending, with 1 where the first curve comes out above, -1
        where below.
    """
    at, difference = _difference(x, y, other_x, other_y)
    found, sign = [], 0
    for index, value in enumerate(difference):
        now = int(np.sign(value))
        if now and sign and now != sign:
            found.append((_root(at, difference, index - 1), now))
        sign = now or sign
    return found


def break_even(x: Numbers, y: Numbers, other_x: Numbers, other_y: Numbers) -> float | None:
    """The first x from which a curve stays at or above another, to the end of both.

    Returns:
        None where it is below at the end, or they have no x in common.
    """
    at, difference = _difference(x, y, other_x, other_y)
    if not len(at) or difference[-1] < 0:
        return None
    below = np.flatnonzero(difference < 0)
    return float(at[0]) if not len(below) else _root(at, difference, int(below[-1]))


def labels_needed(x: Numbers, y: Numbers, level: float) -> float | None:
    """The first x where a curve reaches a level.

    Returns:
        None where it never does; x[0] where it begins there or above.
    """
    x, y = _curve(x, y)
    reached = np.flatnonzero(y >= level)
    if not len(reached):
        return None
    index = int(reached[0])
    return float(x[0]) if index == 0 else _root(x, y - level, index - 1)


def saving(needed: float | None, other_needed: float | None) -> float | None:
    """The part of the labels that is saved, 1 - needed / other_needed; negative: of more.

    Returns:
        None where either never gets there.
    """
    if needed is None or other_needed is None:
        return None
    return 1 - needed / other_needed


def _curve(x, y):
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape or not len(x) or not (np.diff(x) > 0).all():
        raise ValueError(f"A curve needs as many x, strictly increasing, as y: {x} and {y}.")
    return x, y


def _difference(x, y, other_x, other_y):
    """Where either curve has a point, in the common range, and how much the first is above."""
    (x, y), (other_x, other_y) = _curve(x, y), _curve(other_x, other_y)
    at = np.union1d(x, other_x)
    at = at[(max(x[0], other_x[0]) <= at) & (at <= min(x[-1], other_x[-1]))]
    return at, np.interp(at, x, y) - np.interp(at, other_x, other_y)


def _root(x, y, index):
    """Where the line from point `index` to the next one is zero, which it is somewhere."""
    share = y[index] / (y[index] - y[index + 1])
    return float(x[index] + share * (x[index + 1] - x[index]))
