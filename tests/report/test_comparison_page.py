"""The page of a comparison and its charts."""

import dataclasses
import re

import comparison
import numpy as np
import pytest
from comparison import NAN
from pixels import count_pixels, read_pixels

from mrcnn_al.report.chart import describe_chart
from mrcnn_al.report.comparison_page import (
    Band,
    Chart,
    Reference,
    ReportedPoint,
    Table,
    draw_chart,
    write_comparison_page,
)
from mrcnn_al.report.palette import LINES, MUTED, rgb


def bare(*bands, **others):
    return Chart("Heading", "labelled images", "AP", bands, **others)


def test_the_page_is_whole(tmp_path):
    path = write_comparison_page(tmp_path / "report.html", comparison.page())
    text = path.read_text(encoding="utf-8")
    assert text.count('<img src="data:image/') == 2
    headings = ["AP over labelled images", "Twelve arms", "Areas", "Cost", "Single runs"]
    assert re.findall("<h2>(.+)</h2>", text) == headings
    assert "semi is &lt;ahead&gt; of random." in text
    assert 'href="repeat_01/least%20confident/report.html"' in text
    assert 'alt="AP over labelled images: AP over labelled images. random goes from' in text
    assert not re.search(r"https?://|@import|url\(|<script", text)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["figures", "report.html"]


def test_the_same_comparison_gives_the_same_page(tmp_path):
    first = write_comparison_page(tmp_path / "a.html", comparison.page()).read_bytes()
    assert write_comparison_page(tmp_path / "a.html", comparison.page()).read_bytes() == first


@pytest.mark.parametrize("target", ["https://example.org/a", "/etc/passwd", "javascript:alert(1)"])
def test_links_stay_in_the_folder(tmp_path, target):
    page = dataclasses.replace(comparison.page(), links=(("x", target),))
    with pytest.raises(ValueError, match="relative path"):
        write_comparison_page(tmp_path / "report.html", page)


def test_a_chart_has_the_colours_of_its_bands(tmp_path):
    draw_chart(tmp_path / "c.png", comparison.chart())
    assert [p.name for p in tmp_path.iterdir()] == ["c.png"]
    for colour in LINES[:2]:
        assert count_pixels(tmp_path / "c.png", colour) > 1000
    assert count_pixels(tmp_path / "c.png", MUTED) > 500


def test_a_band_is_shaded_where_there_is_an_interval(tmp_path):
    with_interval = comparison.band("a", 0.5)
    without = comparison.band("a", 0.5, repeats=1)
    draw_chart(tmp_path / "with.png", bare(with_interval))
    draw_chart(tmp_path / "without.png", bare(without))
    # The first colour at an opacity of 0.16 on white.
    pale = 0.16 * np.array(rgb(LINES[0])) + 0.84 * 255
    counts = [
        (np.abs(read_pixels(tmp_path / f"{name}.png") - pale).max(axis=2) < 2).sum()
        for name in ("with", "without")
    ]
    assert counts[0] > 3000
    assert counts[1] < 100


def test_single_repeats_are_thin_lines(tmp_path):
    several = comparison.band("a", 0.5)
    hidden = dataclasses.replace(several, repeats=())
    draw_chart(tmp_path / "several.png", bare(several))
    draw_chart(tmp_path / "hidden.png", bare(hidden))
    pictures = [read_pixels(tmp_path / f"{name}.png") for name in ("several", "hidden")]
    assert (pictures[0] != pictures[1]).any(axis=2).sum() > 500


def test_more_than_four_curves_stand_side_by_side(tmp_path):
    same = [dataclasses.replace(comparison.band("a", 0.5), name=name) for name in "abcde"]
    draw_chart(tmp_path / "five.png", bare(*same))
    draw_chart(tmp_path / "four.png", bare(*same[:4]))
    # In the legend alone a colour has some 100 pixels.
    seen = {
        name: [count_pixels(tmp_path / f"{name}.png", colour) > 400 for colour in LINES[:count]]
        for name, count in (("five", 5), ("four", 4))
    }
    assert seen == {"five": [True] * 5, "four": [False, False, False, True]}


def test_the_legend_hides_nothing(tmp_path):
    """All that is right of the axes is legend: no line goes on below it."""
    long = "a strategy with a name that is too long for the legend of any chart"
    draw_chart(tmp_path / "c.png", bare(comparison.band(long, 0.5), comparison.band("b", 0.5)))
    pixels = read_pixels(tmp_path / "c.png")
    assert (pixels[-1] == 255).all()
    assert (pixels[:, -1] == 255).all()


@pytest.mark.parametrize(
    "chart",
    [
        bare(),
        bare(Band("none", (), (), (), ())),
        bare(*[Band("five", (), (), (), ())] * 5),
        bare(*[Band("five ones", (40.0,), (0.3,), (0.2,), (0.4,), ((0.25,), (0.35,)))] * 5),
        bare(Band("one", (40.0,), (0.3,), (NAN,), (NAN,), ((0.3,),))),
        bare(Band("one of two", (40.0,), (0.3,), (0.2,), (0.4,), ((0.25,), (0.35,)))),
        bare(Band("holes", (1.0, 2.0, 3.0), (0.1, NAN, 0.3), (NAN,) * 3, (NAN,) * 3)),
        bare(
            Band("unfinished", (1.0, 2.0), (0.1, 0.2), (0.0, 0.1), (0.2, 0.3), ((0.1, 0.2), (0.1,)))
        ),
        bare(references=(Reference("full", 0.5),), reported=(ReportedPoint("p", 1, 0.4),)),
        bare(comparison.band("random", 0.4), reported=(ReportedPoint("random", 40, 0.2),) * 2),
    ],
    ids=lambda chart: chart.bands[0].name if chart.bands else "no band",
)
def test_whatever_there_is_is_drawn(tmp_path, chart):
    draw_chart(tmp_path / "c.png", chart)
    assert read_pixels(tmp_path / "c.png").shape[1] > 1000
    assert describe_chart(chart).startswith("Heading: AP over labelled images.")


def test_a_chart_in_words():
    text = describe_chart(comparison.chart())
    assert "random goes from 0.197 at 40 to 0.475 (95 % interval 0.445 to 0.505) at 240." in text
    assert "full data is a line at 0.570." in text
    assert "thesis: 89 % at 240 is at (240, 0.520)." in text
    alone = describe_chart(bare(comparison.band("a", 0.5, repeats=1)))
    assert "interval" not in alone
    assert describe_chart(bare(Band("b", (), (), (), ()))).endswith("b has no value yet.")


def test_columns_of_different_lengths():
    with pytest.raises(ValueError, match="differ in length"):
        Band("a", (1.0,), (1.0, 2.0), (1.0,), (1.0,))
    with pytest.raises(ValueError, match="differ in length"):
        Band("a", (1.0,), (1.0,), (1.0,), (1.0,), ((1.0, 2.0),))
    with pytest.raises(ValueError, match="there are 2 columns"):
        Table("t", ("a", "b"), (("1",),))
