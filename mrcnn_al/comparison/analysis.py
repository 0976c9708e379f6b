"""What the curves of a comparison say about its arms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrcnn_al.comparison.axis_analysis import AxisAnalysis, analyse_axis
from mrcnn_al.comparison.curves import AXES, curve_of
from mrcnn_al.comparison.paired import PairedTest, adjusted, paired_test
from mrcnn_al.comparison.results import Results
from mrcnn_al.comparison.statistics import Interval, mean_interval
from mrcnn_al.evaluation.learning_curve import CurvePoint


@dataclass(frozen=True)
class PointAnalysis:
    """An iteration of an arm, over the repeats that have reached it.

    Attributes:
        iteration: its number.
        images: mean number of labelled images.
        instances: mean number of labelled instances.
        AP: of the test images.
        AP50: of the test images.
        against_baseline: of AP, over the repeats in which the baseline is as far; between its
            points the baseline is interpolated. None without a baseline.
    """

    iteration: int
    images: float
    instances: float
    AP: Interval
    AP50: Interval
    against_baseline: PairedTest | None


@dataclass(frozen=True)
class ArmAnalysis:
    """One arm.

    Attributes:
        name: of the arm.
        baseline: name of the random arm that it is compared with; None for that one itself, or
            where there is none.
        points: one for each iteration that any repeat has reached.
        axes: by `images` and `instances`; one is missing where it does not grow along the
            curve, or while no repeat is complete.
    """

    name: str
    baseline: str | None
    points: tuple[PointAnalysis, ...]
    axes: Mapping[str, AxisAnalysis]


@dataclass(frozen=True)
class Analysis:
    """All arms.

    Attributes:
        repeats: numbers, from 1, of those in which all arms have come to their end; areas,
            break-even points, savings and their tests are over these.
        full: AP of the model on all data, over the repeats that have one.
        full_AP50: its AP50.
        pool: what it costs to label all of it, by `images` and `instances`, means over the
            repeats that have that model; empty without.
        arms: in the order of the plan.
    """

    repeats: tuple[int, ...]
    full: Interval
    full_AP50: Interval
    pool: Mapping[str, float]
    arms: tuple[ArmAnalysis, ...]


def analyse(results: Results) -> Analysis:
    """All the statistics of a comparison, or of what there is of it."""
    plan = results.plan
    repeats = [repeat for repeat in range(plan.repeats) if results.complete(repeat)]
    full = [point for point in results.full if point is not None]
    found = {arm.name: plan.baseline(arm) for arm in plan.arms}
    baselines = {name: arm and arm.name for name, arm in found.items()}
    axes = {axis: analyse_axis(results, repeats, baselines, axis) for axis in AXES}
    points = _points(results, baselines)
    return Analysis(
        repeats=tuple(repeat + 1 for repeat in repeats),
        full=mean_interval(_known(full, "AP")),
        full_AP50=mean_interval(_known(full, "AP50")),
        pool={axis: _mean(full, field) for axis, field in AXES.items() if full},
        arms=tuple(
            ArmAnalysis(
                name,
                baselines[name],
                points[name],
                {axis: arms[name] for axis, arms in axes.items() if name in arms},
            )
            for name in baselines
        ),
    )


def _points(results, baselines) -> dict[str, tuple[PointAnalysis, ...]]:
    longest = {name: max(map(len, curves)) for name, curves in results.curves.items()}
    found: dict[str, list[PointAnalysis]] = {name: [] for name in results.curves}
    for index in range(max(longest.values(), default=0)):
        begun = [name for name, length in longest.items() if index < length]
        tests = {name: _test(results, name, baselines[name], index) for name in begun}
        tests = adjusted({name: test for name, test in tests.items() if test is not None})
        for name in begun:
            points = [curve[index] for curve in results.curves[name] if index < len(curve)]
            found[name].append(
                PointAnalysis(
                    iteration=points[0].iteration,
                    images=_mean(points, "labelled_images"),
                    instances=_mean(points, "labelled_instances"),
                    AP=mean_interval(_known(points, "AP")),
                    AP50=mean_interval(_known(points, "AP50")),
                    against_baseline=tests.get(name),
                )
            )
    return {name: tuple(points) for name, points in found.items()}


def _test(results, name, baseline, index) -> PairedTest | None:
    if baseline is None:
        return None
    differences = []
    for points, others in zip(results.curves[name], results.curves[baseline], strict=True):
        other = curve_of(others, "images")
        if index >= len(points) or points[index].AP is None or other is None:
            continue
        x, y = other
        if x[0] <= points[index].labelled_images <= x[-1]:
            expected = np.interp(points[index].labelled_images, x, y)
            differences.append(points[index].AP - float(expected))
    return paired_test(differences) if differences else None


def _known(points: Sequence[CurvePoint], metric: str) -> list[float]:
    values = (getattr(point, metric) for point in points)
    return [value for value in values if value is not None]


def _mean(points: Sequence[CurvePoint], field: str) -> float:
    return float(np.mean([getattr(point, field) for point in points]))
