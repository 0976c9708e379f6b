"""Arms by one measure of what labels cost: images or instances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrcnn_al.comparison.curve_measures import (
    area_between,
    break_even,
    crossings,
    labels_needed,
    normalised_area,
    saving,
)
from mrcnn_al.comparison.curves import AXES, Curve, curve_of, mean_curve
from mrcnn_al.comparison.paired import PairedTest, adjusted, paired_test
from mrcnn_al.comparison.results import Results
from mrcnn_al.comparison.statistics import Interval, mean_interval

FRACTIONS = (0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Saving:
    """The labels that an arm needs for a part of the AP of the model on all data.

    Attributes:
        fraction: of that AP.
        level: AP to reach, the mean over the repeats.
        needed: on the mean curve; None where it does not reach the level.
        last: where the mean curve ends.
        against_baseline: part saved on the mean curves; None where either does not get there,
            or without a baseline.
        against_pool: part of the whole pool that is saved; None where it does not get there.
        needed_of_repeats: for each repeat; None where its curve does not get there.
        against_baseline_of_repeats: for each repeat, as above.
    """

    fraction: float
    level: float
    needed: float | None
    last: float
    against_baseline: float | None
    against_pool: float | None
    needed_of_repeats: tuple[float | None, ...]
    against_baseline_of_repeats: tuple[float | None, ...]


@dataclass(frozen=True)
class AxisAnalysis:
    """One arm by one measure of what labels cost; AP is the quality throughout.

    Attributes:
        low: where the range begins that all arms have in common, mean over the repeats.
        high: where it ends.
        area: mean height of the curve over that range.
        normalised: the same between the first point (0) and the model on all data (1), over the
            repeats where that is above the first point.
        test: of `area` against the baseline; None without a baseline.
        break_even: from where on the mean curve stays at or above the baseline's; None: never,
            or there is no baseline.
        crossings: of the two mean curves, with 1 where this arm comes out above, -1 below.
        savings: at 80, 90 and 95 % of the AP of the model on all data, over the repeats where
            that is above 0; empty without.
    """

    low: float
    high: float
    area: Interval
    normalised: Interval
    test: PairedTest | None
    break_even: float | None
    crossings: tuple[tuple[float, int], ...]
    savings: tuple[Saving, ...]


def analyse_axis(
    results: Results, repeats: Sequence[int], baselines: Mapping[str, str | None], axis: str
) -> dict[str, AxisAnalysis]:
    """The analysis of each arm whose curve can be drawn over this axis.

    Args:
        results: of the comparison.
        repeats: those that count, from 0.
        baselines: of each arm.
        axis: `images` or `instances`.

    Returns:
        By name of the arm; empty without repeats, or where the arms have no range in common.
    """
    curves = {
        name: {r: curve_of(points[r], axis) for r in repeats}
        for name, points in results.curves.items()
    }
    curves = {name: c for name, c in curves.items() if c and None not in c.values()}
    if not curves:
        return {}
    low = {r: max(c[r][0][0] for c in curves.values()) for r in repeats}
    high = {r: min(c[r][0][-1] for c in curves.values()) for r in repeats}
    if any(low[r] > high[r] for r in repeats):
        return {}
    areas = {
        name: {r: area_between(*c[r], low[r], high[r]) for r in repeats}
        for name, c in curves.items()
    }
    pairs = {name: baselines[name] for name in curves if baselines[name] in curves}
    tests = adjusted(
        {
            name: paired_test([areas[name][r] - areas[other][r] for r in repeats])
            for name, other in pairs.items()
        }
    )
    full = {r: results.full[r] for r in repeats if results.full[r] is not None}
    full = {r: point for r, point in full.items() if point.AP is not None}
    found = {}
    for name, own in curves.items():
        mean = _mean(results, name, repeats, axis)
        other = _mean(results, pairs[name], repeats, axis) if name in pairs else None
        both = mean is not None and other is not None
        parts = [normalised_area(areas[name][r], own[r][1][0], p.AP) for r, p in full.items()]
        found[name] = AxisAnalysis(
            low=float(np.mean(list(low.values()))),
            high=float(np.mean(list(high.values()))),
            area=mean_interval(list(areas[name].values())),
            normalised=mean_interval([part for part in parts if part is not None]),
            test=tests.get(name),
            break_even=break_even(*mean, *other) if both else None,
            crossings=tuple(crossings(*mean, *other)) if both else (),
            savings=_savings(results, full, curves, name, pairs.get(name), axis),
        )
    return found


def _mean(results, name, repeats, axis) -> Curve | None:
    return mean_curve([results.curves[name][r] for r in repeats], axis)


def _savings(results, full, curves, name, baseline, axis) -> tuple[Saving, ...]:
    full = {r: point for r, point in full.items() if point.AP > 0}
    mean = _mean(results, name, full, axis)
    if mean is None:
        return ()
    other = None if baseline is None else _mean(results, baseline, full, axis)
    pool = float(np.mean([getattr(point, AXES[axis]) for point in full.values()]))
    found = []
    for fraction in FRACTIONS:
        level = fraction * float(np.mean([point.AP for point in full.values()]))
        needed = labels_needed(*mean, level)
        of_repeats = _needed(curves[name], full, fraction)
        others = _needed(curves[baseline], full, fraction) if baseline else [None] * len(full)
        found.append(
            Saving(
                fraction,
                level,
                needed,
                float(mean[0][-1]),
                saving(needed, None if other is None else labels_needed(*other, level)),
                saving(needed, pool),
                tuple(of_repeats),
                tuple(map(saving, of_repeats, others)),
            )
        )
    return tuple(found)


def _needed(curves, full, fraction) -> list[float | None]:
    return [labels_needed(*curves[r], fraction * point.AP) for r, point in full.items()]
