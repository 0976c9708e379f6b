"""The tables on the page of a comparison."""

from collections.abc import Iterator

from mrcnn_al.comparison.analysis import Analysis, ArmAnalysis
from mrcnn_al.comparison.curves import AXES
from mrcnn_al.comparison.paired import PairedTest
from mrcnn_al.comparison.plan import FULL_DATA
from mrcnn_al.comparison.results import Results
from mrcnn_al.comparison.statistics import repeats_needed
from mrcnn_al.comparison.words import (
    NONE,
    counted,
    interval_text,
    labels_text,
    needed_text,
    p_text,
    share_text,
)
from mrcnn_al.evaluation.coco_map import as_text
from mrcnn_al.report.comparison_page import Table
from mrcnn_al.report.wording import duration


def tables_of(results: Results, analysis: Analysis) -> tuple[Table, ...]:
    """All of them; those that nothing is known for yet are left out."""
    tables = (
        _ends(analysis),
        _areas(analysis),
        *(_against_baseline(analysis, axis) for axis in AXES),
        *(_savings(analysis, axis) for axis in AXES),
        _points(analysis),
        _repeats(results),
        _times(results),
    )
    return tuple(table for table in tables if table.rows)


def _ends(analysis: Analysis) -> Table:
    rows = []
    for arm in analysis.arms:
        if arm.points:
            last = arm.points[-1]
            share = last.AP.mean / analysis.full.mean if analysis.full.mean > 0 else None
            rows.append(
                (
                    arm.name,
                    labels_text(last.images),
                    labels_text(last.instances),
                    interval_text(last.AP),
                    interval_text(last.AP50),
                    share_text(share),
                )
            )
    if analysis.full.count:
        pool = (labels_text(analysis.pool[axis]) for axis in AXES)
        whole = (interval_text(analysis.full), interval_text(analysis.full_AP50), share_text(1))
        rows.append(("all data", *pool, *whole))
    columns = ("", "images", "instances", "AP", "AP50", "AP of all data's")
    note = "Means over the repeats with 95 % intervals (Student's t)."
    return Table("At the end", columns, tuple(rows), note)


def _areas(analysis: Analysis) -> Table:
    columns, rows, ranges = [""], [], {}
    for axis in AXES:
        columns += [f"over {axis}", f"over {axis}, normalised"]
    for arm in analysis.arms:
        cells = [arm.name]
        for axis in AXES:
            found = arm.axes.get(axis)
            cells += (
                [interval_text(found.area), interval_text(found.normalised)]
                if found
                else [NONE] * 2
            )
            if found:
                ranges[axis] = f"{labels_text(found.low)} to {labels_text(found.high)} {axis}"
        if arm.axes:
            rows.append(tuple(cells))
    note = (
        f"{_repeats_text(analysis)} Mean height of the curve of AP, over the range that all have "
        f"in common in a repeat ({', '.join(ranges.values())} in the mean). Normalised: of the way "
        "from the curve's first point (0) to the model on all data (1); repeats in which that is "
        "not above the first point are left out."
    )
    return Table("Area under the learning curve", tuple(columns), tuple(rows), note)


def _against_baseline(analysis: Analysis, axis: str) -> Table:
    rows = []
    for arm, test in _tests(analysis, axis):
        found = arm.axes[axis]
        turns = (f"{labels_text(x)} {'↑' if up > 0 else '↓'}" for x, up in found.crossings)
        rows.append(
            (
                arm.name,
                arm.baseline,
                interval_text(test.difference, signed=True),
                p_text(test.t_test),
                p_text(test.t_test_adjusted),
                p_text(test.sign_flips and test.sign_flips.one_sided),
                p_text(test.sign_flips and test.sign_flips.two_sided),
                p_text(test.sign_flips_adjusted),
                labels_text(found.break_even) if found.break_even is not None else "never",
                ", ".join(turns) or NONE,
            )
        )
    columns = (
        *("", "against", "difference of areas", "t-test", "by Holm"),
        *("sign flips, one-sided", "two-sided", "by Holm", "break-even", "crossings"),
    )
    note = (
        f"{_repeats_text(analysis)} p-values of paired tests over the repeats; the t-test has two "
        f"sides. {_smallest(analysis, len(rows))} Break-even: {axis} from which the mean curve "
        "stays at or above the other to the end; it may be the first point, which arms that train "
        "alike have in common. Crossings: where the mean curves do, ↑ to above, ↓ to below."
    )
    return Table(f"Against random, over {axis}", columns, tuple(rows), note)


def _smallest(analysis: Analysis, arms: int) -> str:
    """How small a p-value the permutation test can have at all."""
    count = len(analysis.repeats)
    text = (
        f"With {counted(count, 'repeat')} the exact test by sign flips cannot give less than "
        f"{p_text(0.5**count)} one-sided and {p_text(min(1.0, 2 * 0.5**count))} two-sided; to get "
        f"to 0.05 it takes {repeats_needed(0.05, 1)} repeats one-sided, {repeats_needed(0.05)} "
        "two-sided"
    )
    if arms > 1:
        text += f", {repeats_needed(0.05 / arms)} by Holm with {arms} strategies"
    return text + "."


def _savings(analysis: Analysis, axis: str) -> Table:
    rows = []
    for arm in analysis.arms:
        for saving in arm.axes[axis].savings if axis in arm.axes else ():
            got = [count for count in saving.needed_of_repeats if count is not None]
            first = getattr(arm.points[0], axis)
            of_repeats = [
                share for share in saving.against_baseline_of_repeats if share is not None
            ]
            rows.append(
                (
                    f"{arm.name}, {saving.fraction:.0%}",
                    as_text(saving.level),
                    needed_text(saving, first),
                    share_text(saving.against_baseline),
                    share_text(saving.against_pool),
                    f"{len(got)} of {len(saving.needed_of_repeats)}",
                    ", ".join(map(share_text, of_repeats)) or NONE,
                )
            )
    columns = (
        *("", "AP", axis, "saved against random", "saved of all"),
        *("repeats that get there", "saved against random in each"),
    )
    note = (
        f"{axis.capitalize()} that the mean curve needs for 80, 90 and 95 % of the AP of the model "
        "on all data; between two points the curve is straight. >: the curve ends before; ≤: its "
        "first point is there already. In each repeat its own curve and its own model count, where "
        "both get there."
    )
    return Table(f"{axis.capitalize()} saved", columns, tuple(rows), note)


def _points(analysis: Analysis) -> Table:
    rows = []
    for arm in analysis.arms:
        for point in arm.points:
            test = point.against_baseline
            flips = test and test.sign_flips and test.sign_flips.two_sided
            rows.append(
                (
                    f"{arm.name}, {point.iteration}",
                    str(point.AP.count),
                    labels_text(point.images),
                    labels_text(point.instances),
                    interval_text(point.AP),
                    interval_text(point.AP50),
                    interval_text(test.difference, signed=True) if test else NONE,
                    p_text(test and test.t_test),
                    p_text(test and test.t_test_adjusted),
                    p_text(flips),
                    p_text(test and test.sign_flips_adjusted),
                )
            )
    columns = (
        *("iteration", "repeats", "images", "instances", "AP", "AP50", "AP against random"),
        *("t-test", "by Holm", "sign flips, two-sided", "by Holm"),
    )
    note = (
        "Means over the repeats with 95 % intervals. By Holm: for several strategies at the same "
        "iteration; over the iterations nothing is adjusted."
    )
    return Table("Point by point", columns, tuple(rows), note)


def _repeats(results: Results) -> Table:
    rows = []
    for repeat in range(results.plan.repeats):
        cells = []
        for curves in results.curves.values():
            last = curves[repeat][-1] if curves[repeat] else None
            done = f" ({len(curves[repeat])})" if last else ""
            cells.append(NONE if last is None else as_text(last.AP) + done)
        full = results.full[repeat]
        cells.append(NONE if full is None else as_text(full.AP))
        rows.append((str(repeat + 1), str(results.plan.seed + repeat), *cells))
    columns = ("repeat", "seed", *results.curves, "all data")
    note = "AP at the end, in brackets the iterations done."
    return Table("Repeat by repeat", columns, tuple(rows), note)


def _times(results: Results) -> Table:
    known = {
        "all data" if name == FULL_DATA else name: [spent for spent in of_repeats if spent]
        for name, of_repeats in results.seconds.items()
    }
    phases = dict.fromkeys(phase for runs in known.values() for spent in runs for phase in spent)
    rows = []
    for name, runs in known.items():
        if runs:
            means = [sum(spent.get(phase, 0.0) for spent in runs) / len(runs) for phase in phases]
            rows.append((name, *(duration(m) if m else NONE for m in means), duration(sum(means))))
    note = (
        "Mean of a run. The first iteration, which arms that train alike have from one run, counts "
        "in each of them."
    )
    return Table("Where the time went", ("", *phases, "in all"), tuple(rows), note)


def _tests(analysis: Analysis, axis: str) -> Iterator[tuple[ArmAnalysis, PairedTest]]:
    for arm in analysis.arms:
        if axis in arm.axes and arm.axes[axis].test is not None:
            yield arm, arm.axes[axis].test


def _repeats_text(analysis: Analysis) -> str:
    return f"Over {counted(len(analysis.repeats), 'repeat')} with all runs at their end."
