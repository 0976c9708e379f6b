"""A page of a comparison, made up."""

import math

from mrcnn_al.report.comparison_page import (
    Band,
    Chart,
    ComparisonPage,
    Reference,
    ReportedPoint,
    Table,
)

NAN = math.nan


def band(name, top, points=6, repeats=3):
    """A mean that rises to `top`, and repeats beside it."""
    x = tuple(40.0 * i for i in range(1, points + 1))
    mean = tuple(top * (1 - math.exp(-i / 2)) for i in range(1, points + 1))
    shifts = [0.01 * (i - (repeats - 1) / 2) for i in range(repeats)]
    single = tuple(tuple(value + shift for value in mean) for shift in shifts)
    half = 0.03 if repeats > 1 else NAN
    low, high = (tuple(value + sign * half for value in mean) for sign in (-1, 1))
    return Band(name, x, mean, low, high, single)


def chart(heading="AP over labelled images", bands=None):
    """Two strategies, full data and what was reported."""
    bands = bands or (band("random", 0.5), band("semi, <threshold> 50", 0.55))
    references = (Reference("full data", 0.57), Reference("90 % of it", 0.513))
    reported = (ReportedPoint("thesis: 89 % at 240", 240, 0.52),)
    return Chart(heading, "labelled images", "AP", bands, references, reported, "Three repeats.")


def page():
    """Two charts, two tables and a link."""
    columns = ("arm", "area", "95 % interval", "against random", "p", "images for 90 % of full")
    rows = tuple((f"arm {i}", "0.412", "0.400 to 0.424", "+0.031", "0.04", "120") for i in range(4))
    many = chart("Twelve arms", tuple(band(f"framework {i}", 0.3 + 0.02 * i) for i in range(12)))
    tables = (Table("Areas", columns, rows, "Paired by repeat."), Table("Cost", ("a",), (("b",),)))
    links = (("repeat 1, least confident", "repeat_01/least confident/report.html"),)
    return ComparisonPage(
        "Figure 5.16", "semi is <ahead> of random.", (chart(), many), tables, links
    )
