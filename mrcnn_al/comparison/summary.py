"""The outcome of a comparison as a file for programs and as a table for the terminal."""

import dataclasses
import math
from typing import Any

from mrcnn_al.comparison.analysis import Analysis, ArmAnalysis
from mrcnn_al.comparison.plan import Plan
from mrcnn_al.comparison.words import interval_text, labels_text, needed_text, p_text, share_text
from mrcnn_al.evaluation.learning_curve import CurvePoint

_SHOWN_FRACTION = 0.9


def summary_of(plan: Plan, analysis: Analysis) -> dict[str, Any]:
    """All numbers, ready for JSON; None for what is undefined.

    It holds no times, so that the same runs have the same summary.
    """
    return {
        "subset": plan.subset,
        "preset": plan.preset,
        "seeds": [plan.seed + repeat for repeat in range(plan.repeats)],
        **_plain(dataclasses.asdict(analysis)),
    }


def summary_table(analysis: Analysis) -> str:
    """One line for each arm: the end of its curve, its area, and what it saves."""
    header = [
        "",
        "images",
        "AP at the end",
        "area under AP",
        "normalised",
        "break-even",
        f"images for {_SHOWN_FRACTION:.0%}",
        "saved",
        "p",
    ]
    rows = [header]
    for arm in analysis.arms:
        last = arm.points[-1] if arm.points else None
        row = [arm.name, labels_text(last and last.images), interval_text(last.AP) if last else "–"]
        axis = arm.axes.get("images")
        if axis is None:
            rows.append([*row, *["–"] * 6])
            continue
        found = [saving for saving in axis.savings if saving.fraction == _SHOWN_FRACTION]
        rows.append(
            [
                *row,
                interval_text(axis.area),
                interval_text(axis.normalised),
                labels_text(axis.break_even),
                needed_text(found[0], arm.points[0].images) if found else "–",
                share_text(found[0].against_baseline) if found else "–",
                p_text(axis.test and axis.test.t_test_adjusted),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
    notes = [
        "p: paired t-test of the areas against random, by Holm for several strategies",
        f"all data: AP {interval_text(analysis.full)}" if analysis.full.count else "",
    ]
    return "\n".join([*lines, *filter(None, notes)])


def mean_points(arm: ArmAnalysis) -> list[CurvePoint]:
    """The mean curve of an arm as points, numbers of labels rounded."""
    return [
        CurvePoint(
            point.iteration,
            round(point.images),
            round(point.instances),
            0,
            AP=_defined(point.AP.mean),
            AP50=_defined(point.AP50.mean),
        )
        for point in arm.points
    ]


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _defined(value) if isinstance(value, float) else value
