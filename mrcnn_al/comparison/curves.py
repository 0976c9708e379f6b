"""The points of runs as curves of AP over what labels cost."""

import itertools
from collections.abc import Sequence

import numpy as np

from mrcnn_al.evaluation.learning_curve import CurvePoint

# What is paid for, by the attribute of a point that counts it.
AXES = {"images": "labelled_images", "instances": "labelled_instances"}

Curve = tuple[np.ndarray, np.ndarray]


def curve_of(points: Sequence[CurvePoint], axis: str) -> Curve | None:
    """A curve as x and AP, points without AP left out.

    Of points in a row with the same x, as when a batch shows no instance, the last one counts.

    Args:
        points: of one run.
        axis: `images` or `instances`.

    Returns:
        None where there is no point, or x goes back, as when batches replace one another.
    """
    return _cleaned([(getattr(p, AXES[axis]), p.AP) for p in points if p.AP is not None])


def mean_curve(runs: Sequence[Sequence[CurvePoint]], axis: str) -> Curve | None:
    """The means of x and AP over runs, iteration by iteration, as far as all runs go.

    An iteration in which a run has no AP is left out. What is None there is so here.
    """
    pairs = []
    for points in zip(*runs, strict=False):
        values = [point.AP for point in points]
        if None not in values:
            x = np.mean([getattr(point, AXES[axis]) for point in points])
            pairs.append((float(x), float(np.mean(values))))
    return _cleaned(pairs)


def _cleaned(pairs: list[tuple[float, float]]) -> Curve | None:
    changes = [first[0] != second[0] for first, second in itertools.pairwise(pairs)]
    kept = list(itertools.compress(pairs, [*changes, True]))
    x, y = (np.array([pair[index] for pair in kept], np.float64) for index in (0, 1))
    return (x, y) if len(x) and (np.diff(x) > 0).all() else None
