"""What a reproduction found, beside what the thesis reported."""

import math
from collections.abc import Sequence

from mrcnn_al.comparison.results import Results
from mrcnn_al.comparison.statistics import Interval, mean_interval
from mrcnn_al.evaluation.learning_curve import CurvePoint
from mrcnn_al.experiments.experiment import Experiment, Reported
from mrcnn_al.experiments.sizes import sizes_of
from mrcnn_al.report.comparison_page import Band, Chart, Reference, ReportedPoint, Table

UNKNOWN = "–"


def learning_chart(experiment: Experiment, results: Results) -> Chart:
    """The figure in the thesis's form: mAP over labelled images, one line a strategy.

    A share that the thesis reported is drawn at that share of what it is of, here.
    """
    full, best = full_precision(results), best_precision(results)
    points = []
    for reported in experiment.reported:
        whole = best if reported.of == "best" else full.mean
        for arm in reported.arms or results.curves:
            images = _images_at(results, arm, _iteration_here(experiment, results, reported))
            if images is not None and math.isfinite(whole):
                name = f"thesis: {reported.text()} of {reported.of}"
                points.append(ReportedPoint(name, images, reported.share * whole))
    references = (Reference("all data labelled", full.mean),) if full.count else ()
    return Chart(
        heading=experiment.title,
        x_label="labelled images",
        y_label="mAP",
        bands=tuple(_band(name, curves) for name, curves in results.curves.items()),
        references=references,
        reported=tuple(dict.fromkeys(points)),
        caption=f"{experiment.name}. The thesis: {experiment.finding}",
    )


def reported_table(experiment: Experiment, results: Results) -> Table:
    """The thesis's numbers and ours, line by line; of the last iteration also where it has none.

    A number of the thesis stands beside our iteration whose share of the images is the nearest.
    """
    rows, said = [], set()
    for reported in experiment.reported:
        iteration = _iteration_here(experiment, results, reported)
        for arm in reported.arms or results.curves:
            said.add((arm, iteration, reported.of))
            rows.append(_row(experiment, results, arm, iteration, reported))
    for arm, curves in results.curves.items():
        last = max(map(len, curves))
        if last and (arm, last, "full data") not in said:
            rows.append(_row(experiment, results, arm, last, None))
    columns = (
        *("line", "iteration", "labelled images, thesis", "thesis", "labelled images, here"),
        *("mAP here", "here", "of"),
    )
    note = (
        f"The thesis: {experiment.finding} Means of {results.plan.repeats} "
        f"repeat{'s' * (results.plan.repeats > 1)}; in brackets 95 % intervals of the mean by "
        "Student's t where there are several."
    )
    return Table("Beside the thesis", columns, tuple(rows), note)


def share_at(results: Results, arm: str, iteration: int, of: str = "full data") -> Interval:
    """The performance of a line in an iteration, as a share.

    Args:
        results: of the comparison.
        arm: name of the line.
        iteration: from 1.
        of: `full data`: of the model on all data of the same repeat; `best`: of the best mean of
            all lines.
    """
    curves = results.curves[arm]
    if of == "best":
        wholes: Sequence[float | None] = [best_precision(results)] * len(curves)
    else:
        wholes = [point.AP if point else None for point in results.full]
    shares = [
        curve[iteration - 1].AP / whole
        for curve, whole in zip(curves, wholes, strict=True)
        if len(curve) >= iteration and curve[iteration - 1].AP is not None and whole
    ]
    return mean_interval([share for share in shares if math.isfinite(share)])


def full_precision(results: Results) -> Interval:
    """The mAP of the models on all data."""
    return mean_interval([p.AP for p in results.full if p is not None and p.AP is not None])


def best_precision(results: Results) -> float:
    """The highest mean mAP of any line in any iteration; NaN where there is none."""
    means = [value for curves in results.curves.values() for value in _band("", curves).mean]
    return max((value for value in means if math.isfinite(value)), default=math.nan)


def _iteration_here(experiment: Experiment, results: Results, reported: Reported) -> int:
    """The iteration, reached or not, with nearly the thesis's share of the images."""
    return sizes_of(results.plan).iteration_with(reported.labelled / experiment.train)


def _row(experiment, results, arm, iteration, reported: Reported | None):
    of = reported.of if reported else "full data"
    images = _images_at(results, arm, iteration)
    precision = _precision_at(results.curves[arm], iteration)
    return (
        arm,
        str(iteration),
        _of_pool(reported.labelled, experiment.train) if reported else UNKNOWN,
        reported.text() if reported else UNKNOWN,
        "not reached" if images is None else _of_pool(images, sizes_of(results.plan).train),
        _number(precision, "{:.3f}"),
        _number(share_at(results, arm, iteration, of), "{:.1%}"),
        of,
    )


def _band(name: str, curves: Sequence[Sequence[CurvePoint]]) -> Band:
    longest: Sequence[CurvePoint] = max(curves, key=len, default=())
    found = [_precision_at(curves, iteration) for iteration in range(1, len(longest) + 1)]
    return Band(
        name,
        tuple(float(point.labelled_images) for point in longest),
        tuple(interval.mean for interval in found),
        tuple(interval.low for interval in found),
        tuple(interval.high for interval in found),
        tuple(tuple(_value(point) for point in curve) for curve in curves),
    )


def _precision_at(curves, iteration) -> Interval:
    values = [_value(curve[iteration - 1]) for curve in curves if len(curve) >= iteration]
    return mean_interval([value for value in values if math.isfinite(value)])


def _value(point: CurvePoint) -> float:
    return math.nan if point.AP is None else point.AP


def _images_at(results, arm, iteration) -> float | None:
    reached = [curve for curve in results.curves[arm] if len(curve) >= iteration]
    return float(reached[0][iteration - 1].labelled_images) if reached else None


def _of_pool(images: float, pool: int) -> str:
    return f"{images:,.0f} ({images / pool:.1%})"


def _number(interval: Interval, form: str) -> str:
    if not interval.count:
        return UNKNOWN
    text = form.format(interval.mean)
    if math.isfinite(interval.low):
        text += f" [{form.format(interval.low)}, {form.format(interval.high)}]"
    return text
