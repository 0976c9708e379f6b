"""Intervals and tests over repeats: against literal implementations and known values."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mrcnn_al.comparison.statistics import (
    holm,
    mean_interval,
    paired_t_test,
    repeats_needed,
    sign_flip_test,
)

numbers = st.integers(-50, 50).map(lambda value: value / 64)
differences = st.lists(numbers, min_size=1, max_size=9)
unhurried = settings(deadline=None, derandomize=True)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=7)


def test_an_interval_by_hand():
    """2, 4 and 9: mean 5, variance 13, and 4.302653 from the table of t with 2 degrees."""
    found = mean_interval([2, 4, 9])
    half = 4.302653 * math.sqrt(13 / 3)
    assert (found.mean, found.count) == (5, 3)
    assert (found.low, found.high) == pytest.approx((5 - half, 5 + half), rel=1e-6)


@unhurried
@given(st.lists(numbers, min_size=2, max_size=12, unique=True), st.floats(0.5, 0.99))
def test_an_interval_is_that_of_scipy(values, confidence):
    found = mean_interval(values, confidence)
    expected = stats.t.interval(confidence, len(values) - 1, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)


def test_an_interval_holds_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    found = [mean_interval(rng.normal(3, 2, 4)) for _ in range(2000)]
    held = np.mean([interval.low <= 3 <= interval.high for interval in found])
    assert held == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("values", [[], [0.25]])
def test_too_few_values_have_no_interval(values):
    found = mean_interval(values)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.count == len(values)
    assert found.mean == 0.25 if values else math.isnan(found.mean)


@unhurried
@given(st.lists(numbers, min_size=2, max_size=9, unique=True))
def test_the_t_test_is_that_of_scipy(values):
    expected = stats.ttest_1samp(values, 0).pvalue
    assert paired_t_test(values) == pytest.approx(expected, abs=1e-12)


def test_the_t_test_by_the_sleep_of_ten_patients():
    """Student's own data (1908): the second drug adds 1.58 hours; t = 4.06 with 9 degrees."""
    values = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    assert paired_t_test(values) == pytest.approx(0.002833, abs=5e-7)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], None), ([0.3], None), ([0, 0, 0], 1.0), ([0.1, 0.1, 0.1], 0.0), ([-0.7] * 5, 0.0)],
)
def test_the_t_test_of_differences_that_do_not_vary(values, expected):
    assert paired_t_test(values) == expected


@unhurried
@given(differences)
def test_sign_flips_are_counted_one_by_one(values):
    """Multiples of 1/64 add up without rounding, so that >= is exact."""
    sums = [
        sum(sign * value for sign, value in zip(signs, values, strict=True))
        for signs in itertools.product((1, -1), repeat=len(values))
    ]
    total = sum(values)
    found = sign_flip_test(values)
    assert found.one_sided == sum(s >= total for s in sums) / len(sums)
    assert found.two_sided == sum(abs(s) >= abs(total) for s in sums) / len(sums)
    assert found.smallest_one_sided <= found.one_sided
    assert found.smallest_two_sided <= found.two_sided


@unhurried
@given(differences)
def test_sign_flips_do_not_mind_the_order_nor_rounding(values):
    found = sign_flip_test(values)
    assert sign_flip_test(values[::-1]) == found
    assert sign_flip_test([value / 3 for value in values]) == found


def test_sign_flips_by_darwins_maize():
    """Fisher (1935): of the 32,768 sums of 15 differences 1,726 are at least 314 either way."""
    values = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    found = sign_flip_test(values)
    assert found.two_sided == 1726 / 32768
    assert found.one_sided == 863 / 32768


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 12])
def test_the_smallest_p_is_that_of_differences_of_one_sign(count):
    found = sign_flip_test(np.arange(1.0, count + 1))
    assert found.one_sided == found.smallest_one_sided == 1 / 2**count
    assert found.two_sided == found.smallest_two_sided == 2 / 2**count


def test_sign_flips_of_nothing_and_of_too_much():
    assert sign_flip_test([]) is None
    assert sign_flip_test([0.0, 0.0]).two_sided == 1
    assert sign_flip_test(np.ones(40)).two_sided == 2 / 2**40
    with pytest.raises(ValueError, match="at most 40"):
        sign_flip_test(np.ones(41))


def test_sign_flips_reject_as_often_as_they_may():
    """Of data without an effect, 7 pairs: p <= 1/16 in a sixteenth of the cases, exactly 8 sums."""
    rng = np.random.default_rng(1)
    p = [sign_flip_test(rng.normal(0, 1, 7)).two_sided for _ in range(2000)]
    assert np.mean(np.array(p) <= 1 / 16) == pytest.approx(1 / 16, abs=0.015)


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([], ()),
        ([0.03], (0.03,)),
        ([0.01, 0.04, 0.03], (0.03, 0.06, 0.06)),
        ([0.5, 0.6, 0.9], (1.0, 1.0, 1.0)),
        ([0.02, 0.02], (0.04, 0.04)),
    ],
)
def test_holm_by_hand(p, adjusted):
    assert holm(p) == pytest.approx(adjusted)


@unhurried
@given(p_values, st.floats(0.001, 0.999))
def test_holm_rejects_step_by_step(p, level):
    """Holm's procedure itself: from the smallest on, until one is above level / those left."""
    rejected = set()
    for rank, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if p[index] * (len(p) - rank) > level:
            break
        rejected.add(index)
    assert {i for i, value in enumerate(holm(p)) if value <= level} == rejected


@unhurried
@given(p_values)
def test_holm_keeps_order_and_bounds(p):
    adjusted = holm(p)
    assert all(own <= value <= 1 for own, value in zip(p, adjusted, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


def test_the_repeats_that_significance_takes():
    assert repeats_needed(0.05, 1) == 5
    assert repeats_needed(0.05) == repeats_needed() == 6
    assert repeats_needed(0.05 / 2) == 7
    assert 2 / 2**6 <= 0.05 < 2 / 2**5
