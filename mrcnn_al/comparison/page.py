"""The page of a comparison: what is on it."""

import math
from collections.abc import Sequence
from pathlib import Path

from mrcnn_al.comparison.analysis import Analysis, ArmAnalysis
from mrcnn_al.comparison.paired import PairedTest
from mrcnn_al.comparison.plan import FULL_DATA
from mrcnn_al.comparison.results import Results
from mrcnn_al.comparison.statistics import Interval
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.comparison.tables import tables_of
from mrcnn_al.comparison.words import counted, interval_text, p_text
from mrcnn_al.evaluation.learning_curve import CurvePoint
from mrcnn_al.report.comparison_page import Band, Chart, ComparisonPage, Reference
from mrcnn_al.run_store import RunStore

_MOST_TOLD = 2


def page_of(store: ComparisonStore, results: Results, analysis: Analysis) -> ComparisonPage:
    """Charts, tables and links of a comparison, one in progress included.

    Args:
        store: says which of the single runs have a report to link to.
        results: of the runs.
        analysis: of the results.
    """
    names = [arm.name for arm in results.plan.arms]
    return ComparisonPage(
        title=f"{_listed(names)} on {results.plan.subset}",
        summary=" ".join([_what(results), *_outcome(analysis)]),
        charts=_charts(results, analysis),
        tables=tables_of(results, analysis),
        links=_links(store, results),
    )


def _what(results: Results) -> str:
    plan, config = results.plan, results.plan.config(results.plan.arms[0])
    ended = sum(
        sum(results.finished.get(name, (True,) * len(c))) for name, c in results.curves.items()
    )
    runs = len(plan.arms) * plan.repeats
    seeds = f"seed {plan.seed}"
    if plan.repeats > 1:
        seeds = f"seeds {plan.seed} to {plan.seed + plan.repeats - 1}"
    return (
        f"{counted(plan.repeats, 'repeat')} ({seeds}), preset {plan.preset}, "
        f"{counted(config.run.iterations, 'iteration')}. All runs of a repeat have the same split "
        f"and the same seed. {ended} of {runs} runs are at their end."
    )


def _outcome(analysis: Analysis) -> list[str]:
    """Of many arms only the best, as a wall of numbers is not read; the tables have all."""
    begun = [(arm, arm.axes["images"].test) for arm in analysis.arms if "images" in arm.axes]
    tested = [(arm, test) for arm, test in begun if test is not None]
    if len(tested) <= _MOST_TOLD:
        return [_against(arm, test) for arm, test in tested]
    best, test = max(tested, key=lambda pair: pair[1].difference.mean)
    return [f"Of {len(tested)} arms the best: {_against(best, test)}"]


def _against(arm: ArmAnalysis, test: PairedTest) -> str:
    by_holm = ""
    if test.t_test_adjusted != test.t_test:
        by_holm = f", by Holm {_equal(p_text(test.t_test_adjusted))}"
    return (
        f"{arm.name} against {arm.baseline}: area under AP over labelled images "
        f"{interval_text(test.difference, signed=True)}, paired t-test p "
        f"{_equal(p_text(test.t_test))}{by_holm}."
    )


def _charts(results: Results, analysis: Analysis) -> tuple[Chart, ...]:
    full = (("AP", analysis.full), ("AP50", analysis.full_AP50))
    lines = {
        metric: (Reference("all data", interval.mean),) if interval.count else ()
        for metric, interval in full
    }
    arms = [arm for arm in analysis.arms if arm.points]
    if not arms:
        return ()
    caption = "Mean over the repeats, its 95 % interval (Student's t), and the single repeats."
    charts = [
        Chart(
            f"{metric} over labelled images",
            "labelled images",
            f"{metric} on the test images",
            tuple(_band(results, arm, metric) for arm in arms),
            lines[metric],
            caption=caption,
        )
        for metric in ("AP", "AP50")
    ]
    charts.append(
        Chart(
            "AP over labelled instances",
            "labelled instances",
            "AP on the test images",
            tuple(
                _plain_band(arm.name, [p.instances for p in arm.points], [p.AP for p in arm.points])
                for arm in arms
            ),
            lines["AP"],
            caption="Mean over the repeats, of instances as of AP, and its 95 % interval.",
        )
    )
    if any(point.against_baseline for arm in arms for point in arm.points):
        charts.append(
            Chart(
                "AP above or below random",
                "labelled images",
                "AP minus that of random",
                tuple(map(_difference, arms)),
                caption="Mean of the differences within the repeats, and its 95 % interval.",
            )
        )
    return tuple(charts)


def _band(results: Results, arm: ArmAnalysis, metric: str) -> Band:
    band = _plain_band(
        arm.name, [p.images for p in arm.points], [getattr(p, metric) for p in arm.points]
    )
    runs = tuple(_heights(curve, metric) for curve in results.curves[arm.name])
    return Band(band.name, band.x, band.mean, band.low, band.high, runs)


def _plain_band(name: str, x: Sequence[float], values: Sequence[Interval]) -> Band:
    columns = zip(*((v.mean, v.low, v.high) for v in values), strict=True)
    return Band(name, tuple(x), *columns)


def _difference(arm: ArmAnalysis) -> Band:
    """Of a baseline zero throughout, so that all arms have their colours in all charts."""
    nothing = Interval(0.0 if arm.baseline is None else math.nan, math.nan, math.nan, 0)
    values = [p.against_baseline.difference if p.against_baseline else nothing for p in arm.points]
    return _plain_band(arm.name, [p.images for p in arm.points], values)


def _heights(curve: Sequence[CurvePoint], metric: str) -> tuple[float, ...]:
    values = (getattr(point, metric) for point in curve)
    return tuple(math.nan if value is None else value for value in values)


def _links(store: ComparisonStore, results: Results) -> tuple[tuple[str, str], ...]:
    links = []
    for repeat in range(results.plan.repeats):
        for name in (*results.curves, FULL_DATA):
            path: Path = RunStore(store.run_folder(repeat, name)).report_path
            if path.is_file():
                relative = path.relative_to(store.folder).as_posix()
                links.append((f"repeat {repeat + 1}: {name}", relative))
    return tuple(links)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _equal(p: str) -> str:
    return p if p.startswith("<") else f"= {p}"
