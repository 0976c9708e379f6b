"""The statistics of made-up comparisons: by hand, and by a literal version of each."""

import json
import math

import numpy as np
import pytest
from synthetic import curve, full, results

from mrcnn_al.comparison.analysis import analyse
from mrcnn_al.comparison.curves import curve_of, mean_curve
from mrcnn_al.comparison.statistics import mean_interval
from mrcnn_al.comparison.summary import mean_points, summary_of, summary_table

RANDOM = ([0.2, 0.3, 0.4], [0.1, 0.3, 0.5], [0.2, 0.2, 0.3])
MASK = ([0.2, 0.4, 0.5], [0.1, 0.2, 0.7], [0.2, 0.3, 0.5])
FULL = (0.5, 0.6, 0.5)


@pytest.fixture(scope="module")
def made():
    curves = {
        "random": tuple(curve(heights) for heights in RANDOM),
        # Its images show twice as many instances.
        "mask": tuple(curve(heights, [400, 1200, 2000]) for heights in MASK),
    }
    return results(curves, [full(height) for height in FULL])


@pytest.fixture(scope="module")
def analysis(made):
    return analyse(made)


def arm(analysis, name):
    return next(arm for arm in analysis.arms if arm.name == name)


def test_the_points(analysis):
    points = arm(analysis, "mask").points
    assert [point.iteration for point in points] == [1, 2, 3]
    assert [point.images for point in points] == [40, 80, 120]
    assert [point.instances for point in points] == [400, 1200, 2000]
    second = points[1].AP
    assert second == mean_interval([0.4, 0.2, 0.3])
    assert points[1].AP50.mean == pytest.approx(0.5)
    test = points[1].against_baseline
    assert test.difference == mean_interval([0.4 - 0.3, 0.2 - 0.3, 0.3 - 0.2])
    # One strategy needs no adjustment.
    assert test.t_test_adjusted == test.t_test
    assert points[0].against_baseline.t_test == 1
    assert points[2].against_baseline.sign_flips.two_sided == 2 / 8
    assert arm(analysis, "random").points[1].against_baseline is None


def test_the_areas_over_images(analysis):
    areas = [(first / 2 + second + third / 2) / 2 for first, second, third in MASK]
    random = [(first / 2 + second + third / 2) / 2 for first, second, third in RANDOM]
    found = arm(analysis, "mask").axes["images"]
    assert (found.low, found.high) == (40, 120)
    assert found.area.mean == pytest.approx(np.mean(areas))
    parts = [(a - m[0]) / (f - m[0]) for a, m, f in zip(areas, MASK, FULL, strict=True)]
    assert found.normalised.mean == pytest.approx(np.mean(parts))
    difference = mean_interval(np.subtract(areas, random))
    assert found.test.difference.mean == pytest.approx(difference.mean)
    assert found.test.difference.low == pytest.approx(difference.low)
    assert arm(analysis, "random").axes["images"].test is None


def test_the_areas_over_instances_are_over_what_both_have(analysis):
    """mask goes from 400 to 2000 instances, random only to 1200."""
    found = {name: arm(analysis, name).axes["instances"] for name in ("random", "mask")}
    assert {(axis.low, axis.high) for axis in found.values()} == {(400, 1200)}
    halves = [(first + second) / 2 for first, second, _ in MASK]
    assert found["mask"].area.mean == pytest.approx(np.mean(halves))
    assert found["random"].area.mean == pytest.approx(
        arm(analysis, "random").axes["images"].area.mean
    )


def test_break_even_and_crossings(analysis):
    """On means: 1/6, 0.8/3, 0.4 of random; 1/6, 0.3, 1.7/3 of mask, above from the start."""
    found = arm(analysis, "mask").axes
    assert found["images"].break_even == 40
    assert found["images"].crossings == ()
    # mask reaches 0.3 at 1200 instances, where random is at 0.4 already and ends.
    assert found["instances"].break_even is None
    assert arm(analysis, "random").axes["images"].break_even is None


def test_labels_saved(analysis):
    """80 % of the mean 1.6/3 is 0.4267: random ends at 0.4; mask gets there between 80 and 120."""
    mask = arm(analysis, "mask").axes["images"].savings
    random = arm(analysis, "random").axes["images"].savings
    assert [saving.fraction for saving in mask] == [0.8, 0.9, 0.95]
    level = 0.8 * 1.6 / 3
    assert mask[0].level == pytest.approx(level)
    needed = 80 + 40 * (level - 0.3) / (1.7 / 3 - 0.3)
    assert mask[0].needed == pytest.approx(needed)
    assert (random[0].needed, random[0].last) == (None, 120)
    assert mask[0].against_baseline is None
    assert mask[0].against_pool == pytest.approx(1 - needed / 480)
    # In each repeat: 0.4 of 0.5, 0.48 of 0.6, 0.4 of 0.5.
    assert mask[0].needed_of_repeats == pytest.approx((80, 80 + 40 * 0.28 / 0.5, 100))
    assert random[0].needed_of_repeats == (
        pytest.approx(120),
        pytest.approx(80 + 40 * 0.18 / 0.2),
        None,
    )
    saved = mask[0].against_baseline_of_repeats
    assert saved[0] == pytest.approx(1 - 80 / 120)
    assert saved[2] is None


def test_the_whole_pool(analysis):
    assert analysis.pool == {"images": 480, "instances": 4800}
    assert analysis.full == mean_interval(FULL)
    assert analysis.full_AP50.mean == pytest.approx(np.mean(FULL) + 0.2)
    assert analysis.repeats == (1, 2, 3)


def test_nothing_is_saved_on_the_way_to_a_model_that_finds_nothing():
    flat = {name: (curve([0.0, 0.0]),) * 2 for name in ("random", "mask")}
    found = analyse(results(flat, [full(0.0), full(0.0)]))
    assert arm(found, "mask").axes["images"].savings == ()


def test_without_the_model_on_all_data(made):
    found = analyse(results(made.curves))
    assert found.pool == {}
    assert found.full.count == 0
    axis = arm(found, "mask").axes["images"]
    assert axis.savings == ()
    assert axis.normalised.count == 0
    assert axis.area == arm(analyse(made), "mask").axes["images"].area


def test_a_model_on_all_data_that_is_no_better(made):
    """That of the second repeat is at 0.1, where the curves begin: it is left out there only."""
    found = analyse(results(made.curves, [full(0.5), full(0.1), full(0.5)]))
    axis = arm(found, "random").axes["images"]
    assert axis.normalised.count == 2
    assert axis.area.count == 3


def test_unfinished_repeats_count_by_point_only(made):
    curves = dict(made.curves)
    curves["mask"] = (*curves["mask"][:2], curves["mask"][2][:1])
    finished = {"random": (True,) * 3, "mask": (True, True, False)}
    found = analyse(results(curves, made.full, finished))
    assert found.repeats == (1, 2)
    points = arm(found, "mask").points
    assert [point.AP.count for point in points] == [3, 2, 2]
    assert [point.against_baseline.difference.count for point in points] == [3, 2, 2]
    assert arm(found, "mask").axes["images"].area.count == 2
    assert len(arm(found, "mask").axes["images"].savings[0].needed_of_repeats) == 2


def test_nothing_yet():
    found = analyse(results({"random": ((), ()), "mask": ((), ())}))
    assert found.repeats == ()
    assert [(arm.points, arm.axes) for arm in found.arms] == [((), {}), ((), {})]
    assert json.loads(json.dumps(summary_of(results({"random": ((),)}).plan, found)))
    assert "random" in summary_table(found)


def test_holm_counts_the_strategies():
    rng = np.random.default_rng(0)
    curves = {
        name: tuple(curve([0.2, *(0.3 + shift + rng.normal(0, 0.02, 2))]) for _ in range(6))
        for name, shift in (("random", 0), ("mask", 0.03), ("semi", 0.2))
    }
    found = analyse(results(curves))
    tests = [arm(found, name).axes["images"].test for name in ("mask", "semi")]
    smaller, larger = sorted(tests, key=lambda test: test.t_test)
    assert smaller.t_test_adjusted == pytest.approx(2 * smaller.t_test)
    assert larger.t_test_adjusted == pytest.approx(max(larger.t_test, 2 * smaller.t_test))
    assert tests[1].sign_flips.two_sided == 2 / 64
    assert tests[1].sign_flips_adjusted == 4 / 64


def test_curves_over_instances_that_do_not_always_grow():
    """A batch without instances: the later model counts. Going back: no curve."""
    points = curve([0.1, 0.2, 0.3], [100, 100, 150])
    x, y = curve_of(points, "instances")
    assert (x.tolist(), y.tolist()) == ([100, 150], [0.2, 0.3])
    assert curve_of(curve([0.1, 0.2], [100, 90]), "instances") is None
    assert curve_of((), "images") is None
    x, y = curve_of(curve([0.1, None, 0.3]), "images")
    assert (x.tolist(), y.tolist()) == ([40, 120], [0.1, 0.3])


def test_the_mean_curve_goes_as_far_as_all():
    runs = [curve([0.1, 0.2, 0.3], [10, 20, 30]), curve([0.3, 0.4], [20, 40])]
    x, y = mean_curve(runs, "instances")
    assert x.tolist() == [15, 30]
    assert y.tolist() == pytest.approx([0.2, 0.3])
    assert mean_curve([], "images") is None
    assert mean_curve([curve([None])], "images") is None


def test_batches_that_replace_one_another_have_no_curve_over_what_does_not_grow():
    constant = tuple(curve([0.1, 0.3, 0.2], [100, 90, 95]) for _ in range(2))
    found = analyse(results({"random": constant, "mask": constant}))
    assert set(arm(found, "mask").axes) == {"images"}


def test_the_summary_is_json_without_nan(made, analysis):
    text = json.dumps(summary_of(made.plan, analysis), allow_nan=False)
    read = json.loads(text)
    assert read["seeds"] == [0, 1, 2]
    assert [arm["name"] for arm in read["arms"]] == ["random", "mask"]
    assert read["arms"][1]["axes"]["images"]["savings"][0]["fraction"] == 0.8
    single = results({"random": (curve([0.1, 0.2]),)})
    read = json.loads(json.dumps(summary_of(single.plan, analyse(single)), allow_nan=False))
    assert read["arms"][0]["points"][0]["AP"] == {
        "mean": 0.1,
        "low": None,
        "high": None,
        "count": 1,
    }


def test_the_table_for_the_terminal(analysis):
    lines = summary_table(analysis).splitlines()
    assert len({len(line.split("  ")) > 1 for line in lines[:3]}) == 1
    assert lines[1].startswith("random")
    assert "> 120" in lines[1]
    assert f"{arm(analysis, 'mask').axes['images'].area.mean:.3f} [" in lines[2]
    assert "all data: AP 0.533 [" in lines[-1]


def test_mean_curves_as_points(analysis):
    points = mean_points(arm(analysis, "mask"))
    assert [(p.iteration, p.labelled_images, p.labelled_instances) for p in points] == [
        (1, 40, 400),
        (2, 80, 1200),
        (3, 120, 2000),
    ]
    last = points[2].AP
    assert last == pytest.approx(1.7 / 3)
    nothing = analyse(results({"random": (curve([None]),)}))
    assert mean_points(nothing.arms[0])[0].AP is None
    assert math.isnan(nothing.arms[0].points[0].AP.mean)
