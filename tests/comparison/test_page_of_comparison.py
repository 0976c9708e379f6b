"""What the page says; how it looks is tested with the reports."""

import pytest
from synthetic import curve, full, results

from mrcnn_al.comparison.analysis import analyse
from mrcnn_al.comparison.page import page_of
from mrcnn_al.comparison.statistics import Interval
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.comparison.words import interval_text, labels_text, p_text, share_text
from mrcnn_al.report.comparison_page import write_comparison_page

NAN = float("nan")
HEIGHTS = {
    "random": ([0.2, 0.3, 0.4], [0.1, 0.3, 0.5], [0.2, 0.2, 0.3]),
    "mask": ([0.2, 0.4, 0.5], [0.1, 0.2, 0.7], [0.2, 0.3, 0.5]),
}


@pytest.fixture
def store(tmp_path):
    return ComparisonStore(tmp_path)


def page(store, curves, *others, **options):
    made = results(curves, *others, **options)
    return page_of(store, made, analyse(made))


def whole(store, arms=("random", "mask")):
    curves = {name: tuple(map(curve, HEIGHTS[name])) for name in arms}
    return page(store, curves, [full(0.5), full(0.6), full(0.5)])


def table(page, heading):
    return next(table for table in page.tables if table.heading == heading)


def row(page, heading, name):
    return next(row for row in table(page, heading).rows if row[0] == name)


def test_the_page_of_a_whole_comparison(store):
    for name in ("random", "full-data"):
        report = store.run_folder(1, name) / "report.html"
        report.parent.mkdir(parents=True)
        report.write_text("")
    made = whole(store)
    assert made.title == "random and mask on toy"
    assert "3 repeats (seeds 0 to 2), preset cpu, 3 iterations" in made.summary
    assert "6 of 6 runs are at their end" in made.summary
    assert "mask against random: area under AP over labelled images +0." in made.summary
    assert [chart.heading for chart in made.charts] == [
        "AP over labelled images",
        "AP50 over labelled images",
        "AP over labelled instances",
        "AP above or below random",
    ]
    band = made.charts[0].bands[1]
    assert (band.name, band.x) == ("mask", (40, 80, 120))
    assert band.repeats == tuple(map(tuple, HEIGHTS["mask"]))
    assert band.mean[1] == pytest.approx(0.3)
    assert band.low[1] < 0.3 < band.high[1]
    assert made.charts[0].references[0].y == pytest.approx(1.6 / 3)
    random, mask = made.charts[3].bands
    assert random.mean == (0, 0, 0)
    assert mask.mean == pytest.approx((0, 0.1 / 3, 0.5 / 3))
    assert made.links == (
        ("repeat 2: random", "repeat_02/random/report.html"),
        ("repeat 2: full-data", "repeat_02/full-data/report.html"),
    )
    assert write_comparison_page(store.report_path, made).stat().st_size > 10_000


def test_where_the_time_went(store):
    curves = {name: tuple(map(curve, HEIGHTS[name])) for name in ("random", "mask")}
    seconds = {
        "random": ({"train": 60.0, "evaluate": 6.0}, {"train": 80.0, "evaluate": 8.0}, {}),
        "mask": ({"train": 70.0, "evaluate": 7.0, "score": 300.0}, {}, {}),
        "full-data": ({}, {}, {}),
    }
    times = table(page(store, curves, seconds=seconds), "Where the time went")
    assert times.columns == ("", "train", "evaluate", "score", "in all")
    assert times.rows == (
        ("random", "70.0 s", "7.0 s", "–", "77.0 s"),
        ("mask", "70.0 s", "7.0 s", "5 min", "6 min"),
    )
    made = page(store, curves)
    assert "Where the time went" not in [table.heading for table in made.tables]


def test_of_many_arms_the_summary_tells_the_best(store):
    heights = HEIGHTS | {"semi": HEIGHTS["random"], "maskal": HEIGHTS["random"]}
    made = page(store, {name: tuple(map(curve, rows)) for name, rows in heights.items()})
    assert "Of 3 arms the best: mask against random: area" in made.summary
    assert made.summary.count("against random") == 1
    assert {row[0] for row in table(made, "Against random, over images").rows} == set(heights) - {
        "random"
    }


def test_the_tables(store):
    made = whole(store)
    assert row(made, "At the end", "all data")[1:3] == ("480", "4,800")
    assert row(made, "At the end", "mask")[-1] == "106 %"
    assert row(made, "Area under the learning curve", "mask")[1].startswith("0.333 [")
    assert "40 to 120 images" in table(made, "Area under the learning curve").note
    against = row(made, "Against random, over images", "mask")
    assert (against[1], against[-2], against[-1]) == ("random", "40", "–")
    assert row(made, "Images saved", "random, 80%")[2] == "> 120"
    assert row(made, "Images saved", "mask, 80%")[5] == "3 of 3"
    assert row(made, "Point by point", "mask, 3")[1:3] == ("3", "120")
    assert row(made, "Repeat by repeat", "2") == ("2", "1", "0.500 (3)", "0.700 (3)", "0.600")


def test_the_page_says_what_few_repeats_cannot_show(store):
    note = table(whole(store), "Against random, over images").note
    assert "With 3 repeats" in note
    assert "cannot give less than 0.125 one-sided and 0.250 two-sided" in note
    assert "it takes 5 repeats one-sided, 6 two-sided." in note


def test_without_random_nothing_is_tested(store):
    made = whole(store, ["mask"])
    assert not [t for t in made.tables if t.heading.startswith("Against")]
    assert made.title == "mask on toy"
    assert len(made.charts) == 3


def test_one_repeat_has_no_intervals(store):
    curves = {name: (curve(heights[0]),) for name, heights in HEIGHTS.items()}
    made = page(store, curves)
    assert "1 repeat (seed 0)" in made.summary
    assert row(made, "At the end", "mask")[3:] == ("0.500", "0.700", "–")
    assert row(made, "Against random, over images", "mask")[3:5] == ("–", "–")
    assert write_comparison_page(store.report_path, made).is_file()


def test_a_comparison_in_progress_and_one_not_begun(store):
    begun = {"random": (curve([0.1, 0.2]), ()), "mask": ((), ())}
    finished = {"random": (False, False), "mask": (False, False)}
    made = page(store, begun, finished=finished)
    assert "0 of 4 runs are at their end" in made.summary
    assert [band.name for band in made.charts[0].bands] == ["random"]
    assert row(made, "Repeat by repeat", "1")[2:] == ("0.200 (2)", "–", "–")
    assert write_comparison_page(store.report_path, made).is_file()
    made = page(store, {"random": ((), ())}, finished={"random": (False, False)})
    assert made.charts == ()
    assert write_comparison_page(store.report_path, made).is_file()


def test_words():
    assert interval_text(Interval(0.5, 0.45, 0.55, 3)) == "0.500 [0.450, 0.550]"
    assert interval_text(Interval(0.5, -0.05, 1.05, 3), signed=True) == "+0.500 [-0.050, +1.050]"
    assert interval_text(Interval(0.5, NAN, NAN, 1)) == "0.500"
    assert interval_text(Interval(NAN, NAN, NAN, 0)) == "–"
    assert [p_text(p) for p in (None, 0.0, 0.00099, 0.0314, 1.0)] == [
        *("–", "< 0.001", "< 0.001", "0.031", "1.000")
    ]
    assert [share_text(share) for share in (None, 0.256, -0.004, -0.5)] == [
        *("–", "26 %", "0 %", "-50 %")
    ]
    assert labels_text(1234.6) == "1,235"
