import math

import pytest

from mrcnn_al.comparison.results import Results
from mrcnn_al.evaluation.learning_curve import CurvePoint
from mrcnn_al.experiments.compared import (
    best_precision,
    full_precision,
    learning_chart,
    reported_table,
    share_at,
)
from mrcnn_al.experiments.plans import Choices, build_plan
from mrcnn_al.experiments.table import EXPERIMENTS
from mrcnn_al.report.comparison_page import ReportedPoint


def point(iteration, images, precision):
    return CurvePoint(iteration, images, 10 * images, 0, AP=precision)


def curve(*precisions, batch=40):
    return tuple(point(i, batch * i, p) for i, p in enumerate(precisions, start=1))


def results(name, curves, full, repeats=2, **choices):
    plan = build_plan(EXPERIMENTS[name], Choices(repeats=repeats, preset="nucleus", **choices))
    return Results(plan, curves, tuple(None if f is None else point(1, 480, f) for f in full))


@pytest.fixture
def found():
    """Figure 5.1 with six iterations in two repeats."""
    return results(
        "fig5.1",
        {
            "random": (
                curve(0.1, 0.2, 0.3, 0.35, 0.38, 0.40),
                curve(0.1, 0.2, 0.3, 0.3, 0.3, 0.36),
            ),
            "least-confident": (curve(0.1, 0.2), curve(0.1, None)),
            "entropy": ((), ()),
        },
        (0.5, 0.4),
    )


def cells(table):
    return {(row[0], row[1]): dict(zip(table.columns, row, strict=True)) for row in table.rows}


def test_the_thesiss_number_and_ours(found):
    table = reported_table(EXPERIMENTS["fig5.1"], found)
    row = cells(table)["random", "6"]
    assert row["labelled images, thesis"] == "240 (50.0%)"
    assert row["thesis"] == "89 %"
    assert row["labelled images, here"] == "240 (50.0%)"
    # 0.40 of 0.5 and 0.36 of 0.4 are 0.8 and 0.9.
    assert row["here"].startswith("85.0% [")
    assert row["mAP here"].startswith("0.380 [")
    assert row["of"] == "full data"
    assert "89 %" in table.note
    assert "2 repeats" in table.note


def test_what_is_not_reached_is_said(found):
    rows = cells(reported_table(EXPERIMENTS["fig5.1"], found))
    assert rows["least-confident", "6"]["labelled images, here"] == "not reached"
    assert rows["least-confident", "6"]["here"] == "–"
    assert rows["entropy", "6"]["here"] == "–"
    # Of the last iteration there is a row, too; one of two values gives no interval.
    assert rows["least-confident", "2"]["here"] == "40.0%"
    assert rows["least-confident", "2"]["thesis"] == "–"
    assert ("entropy", "0") not in rows


def test_a_share_and_its_interval(found):
    interval = share_at(found, "random", 6)
    # Two values, half a tenth from their mean: t(0.975, 1) = 12.7062.
    assert interval.mean == pytest.approx(0.85)
    assert interval.high - interval.mean == pytest.approx(12.7062 * 0.05, rel=1e-4)
    assert full_precision(found).mean == pytest.approx(0.45)
    assert best_precision(found) == pytest.approx(0.38)
    assert share_at(found, "random", 3, "best").mean == pytest.approx(0.3 / 0.38)
    assert math.isnan(share_at(found, "random", 7).mean)


def test_without_a_model_on_all_data():
    none = results("fig5.1", {"random": (curve(0.1, 0.2),)}, (None,), repeats=1)
    chart = learning_chart(EXPERIMENTS["fig5.1"], none)
    assert chart.references == ()
    assert chart.reported == ()
    assert cells(reported_table(EXPERIMENTS["fig5.1"], none))["random", "2"]["here"] == "–"


def test_the_chart_is_in_the_thesiss_form(found):
    chart = learning_chart(EXPERIMENTS["fig5.1"], found)
    assert (chart.x_label, chart.y_label) == ("labelled images", "mAP")
    assert [band.name for band in chart.bands] == ["random", "least-confident", "entropy"]
    first = chart.bands[0]
    assert first.x == (40, 80, 120, 160, 200, 240)
    assert first.mean == pytest.approx((0.1, 0.2, 0.3, 0.325, 0.34, 0.38))
    assert len(first.repeats) == 2
    second = chart.bands[1]
    assert second.mean == pytest.approx((0.1, 0.2))
    assert math.isnan(second.low[1])
    assert [line.y for line in chart.references] == [pytest.approx(0.45)]
    # 89 % of our full performance, where the thesis has it.
    assert chart.reported == (
        ReportedPoint("thesis: 89 % of full data", 240, pytest.approx(0.89 * 0.45)),
    )


def test_a_share_of_the_best_of_the_figure():
    experiment = EXPERIMENTS["fig5.10"]
    names = [arm.name for arm in experiment.arms]
    curves = {name: (curve(0.1, 0.2, 0.3),) for name in names}
    curves[names[2]] = (curve(0.3, 0.38, 0.4),)
    found = results("fig5.10", curves, (0.5,), repeats=1)
    row = cells(reported_table(experiment, found))[names[2], "2"]
    assert (row["thesis"], row["here"], row["of"]) == ("> 91 %", "95.0%", "best")
    chart = learning_chart(experiment, found)
    # And all that the model on all data has, from scratch.
    assert {(p.x, round(p.y, 6)) for p in chart.reported} == {(80, 0.364), (80, 0.5)}


def test_other_sizes_are_compared_by_their_share():
    """With a tenth of the images the sixth iteration is still the one with half of them."""
    curves = {"random": (curve(*[0.1] * 6, batch=4),)}
    found = results("fig5.1", curves, (0.2,), repeats=1, scale=0.1)
    row = cells(reported_table(EXPERIMENTS["fig5.1"], found))["random", "6"]
    assert row["labelled images, thesis"] == "240 (50.0%)"
    assert row["labelled images, here"] == "24 (50.0%)"
    assert row["here"] == "50.0%"
    assert learning_chart(EXPERIMENTS["fig5.1"], found).reported[0].x == 24


def test_larger_batches_get_to_a_share_in_fewer_iterations():
    """A fifth of the images, from which no batch of the thesis's share could be drawn."""
    points = tuple(point(i, 2 + 4 * (i - 1), 0.1) for i in range(1, 9))
    curves = {"random": (points,), "mask": (points,)}
    found = results("fig5.13", curves, (0.2,), repeats=1, scale=0.2)
    row = cells(reported_table(EXPERIMENTS["fig5.13"], found))["mask", "8"]
    assert row["labelled images, thesis"] == "150 (31.2%)"
    assert row["labelled images, here"] == "30 (31.2%)"
    assert learning_chart(EXPERIMENTS["fig5.13"], found).reported[0].x == 30
