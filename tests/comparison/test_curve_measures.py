"""Numbers of curves: by hand, and against a search along a fine grid."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrcnn_al.comparison.curve_measures import (
    area_between,
    break_even,
    crossings,
    labels_needed,
    normalised_area,
    saving,
)

X, Y = (40, 80, 120), (0.2, 0.4, 0.5)
heights = st.integers(0, 32)
unhurried = settings(deadline=None, derandomize=True)


@st.composite
def curve(draw):
    """Whole numbers, so that a literal version can be exact."""
    x = draw(st.lists(st.integers(0, 40), min_size=1, max_size=6, unique=True).map(sorted))
    return x, draw(st.lists(heights, min_size=len(x), max_size=len(x)))


def at(x, y, where):
    """The height of a curve, exactly."""
    for left, right, low, high in zip(x, x[1:], y, y[1:], strict=False):
        if left <= where <= right:
            return low + Fraction(high - low) * (where - left) / (right - left)
    assert where == x[0]
    return Fraction(y[0])


def common(first, second):
    """Where either curve has a point, in the range that both have."""
    low, high = max(first[0][0], second[0][0]), min(first[0][-1], second[0][-1])
    return sorted({where for where in (*first[0], *second[0]) if low <= where <= high})


def fine(first, second, parts=7):
    """A grid that has those, and more between them."""
    places = [Fraction(where) for where in common(first, second)]
    inside = [
        left + (right - left) * Fraction(i, parts)
        for left, right in itertools.pairwise(places)
        for i in range(1, parts)
    ]
    return sorted([*places, *inside])


def roots(first, second):
    """Where the difference is zero, for straight pieces, exactly; no pieces of zeros."""
    found = []
    places = [Fraction(where) for where in common(first, second)]
    for left, right in itertools.pairwise(places):
        low, high = (at(*first, where) - at(*second, where) for where in (left, right))
        if low != high and 0 <= low / (low - high) <= 1:
            found.append(left + (right - left) * low / (low - high))
    return found


def test_the_area_by_hand():
    assert area_between(X, Y, 40, 120) == pytest.approx((0.3 * 40 + 0.45 * 40) / 80)
    assert area_between(X, Y, 60, 100) == pytest.approx((0.35 * 20 + 0.425 * 20) / 40)
    assert area_between(X, Y, 60, 60) == pytest.approx(0.3)
    assert area_between([40], [0.3], 40, 40) == 0.3


@unhurried
@given(curve(), st.data())
def test_the_area_is_the_mean_height(points, data):
    x, y = points
    low = data.draw(st.integers(x[0], x[-1]))
    high = data.draw(st.integers(low, x[-1]))
    found = area_between(x, y, low, high)
    if low == high:
        assert found == pytest.approx(float(at(x, y, low)))
        return
    # Between whole numbers a curve is straight, so their middles give the mean exactly.
    middles = [at(x, y, Fraction(2 * step + 1, 2)) for step in range(low, high)]
    assert found == pytest.approx(float(sum(middles) / len(middles)), abs=1e-12)


@pytest.mark.parametrize(("low", "high"), [(39, 80), (40, 121), (90, 80)])
def test_an_area_beyond_the_curve(low, high):
    with pytest.raises(ValueError, match="is not within the curve"):
        area_between(X, Y, low, high)


@pytest.mark.parametrize(
    ("x", "y"), [([], []), ([1, 1], [0, 0]), ([2, 1], [0, 0]), ([1, 2], [0]), ([[1]], [[0]])]
)
def test_what_is_no_curve(x, y):
    with pytest.raises(ValueError, match="strictly increasing"):
        labels_needed(x, y, 0.5)


@pytest.mark.parametrize(
    ("area", "first", "full", "expected"),
    [
        (0.4, 0.2, 0.6, 0.5),
        (0.2, 0.2, 0.6, 0.0),
        (0.7, 0.2, 0.6, 1.25),
        (0.1, 0.2, 0.6, -0.25),
        (0.4, 0.2, None, None),
        (0.4, 0.2, 0.2, None),
        (0.4, 0.2, 0.1, None),
    ],
)
def test_the_normalised_area(area, first, full, expected):
    found = normalised_area(area, first, full)
    assert found is None if expected is None else found == pytest.approx(expected)


def test_the_normalised_area_is_the_mean_of_the_normalised_curve():
    normalised = [(value - Y[0]) / (0.6 - Y[0]) for value in Y]
    area = area_between(X, Y, 40, 120)
    assert normalised_area(area, Y[0], 0.6) == pytest.approx(area_between(X, normalised, 40, 120))


OTHER = (0.2, 0.3, 0.6)


def test_one_crossing():
    """0.1 above at 80, 0.1 below at 120: equal half-way. The common start is no crossing."""
    assert crossings(X, Y, X, OTHER) == [(pytest.approx(100), -1)]
    assert crossings(X, OTHER, X, Y) == [(pytest.approx(100), 1)]
    assert break_even(X, OTHER, X, Y) == pytest.approx(100)
    assert break_even(X, Y, X, OTHER) is None


def test_curves_that_run_together():
    base = (0.0, 0.0, 0.0, 0.0, 0.0)
    x = (1, 2, 3, 4, 5)
    assert crossings(x, (-1, 0, 0, 1, 1), x, base) == [(3.0, 1)]
    assert break_even(x, (-1, 0, 0, 1, 1), x, base) == 2.0
    assert crossings(x, (1, 0, 0, 1, 1), x, base) == []
    assert break_even(x, (1, 0, 0, 1, 1), x, base) == 1.0
    assert break_even(x, base, x, base) == 1.0
    assert break_even(x, (1, 1, 1, 1, -1), x, base) is None
    assert break_even(x, (-1, -1, -1, -1, 0), x, base) == 5.0


def test_curves_with_nothing_in_common():
    assert crossings((1, 2), (0, 1), (3, 4), (0, 1)) == []
    assert break_even((1, 2), (0, 1), (3, 4), (0, 1)) is None


@unhurried
@given(curve(), curve())
def test_crossings_are_where_the_sign_changes(first, second):
    places = fine(first, second)
    zeros = roots(first, second)
    signs = [(where, at(*first, where) - at(*second, where)) for where in sorted({*places, *zeros})]
    expected, last = [], 0
    for index, (_, difference) in enumerate(signs):
        sign = (difference > 0) - (difference < 0)
        if sign and last and sign != last:
            # The zero before it is among the places.
            expected.append((signs[index - 1][0], sign))
        last = sign or last
    found = crossings(*first, *second)
    assert [sign for _, sign in found] == [sign for _, sign in expected]
    assert [x for x, _ in found] == pytest.approx([float(x) for x, _ in expected], abs=1e-9)


@unhurried
@given(curve(), curve())
def test_from_the_break_even_point_on_it_stays_above(first, second):
    places = sorted({*fine(first, second), *roots(first, second)})
    below = [where for where in places if at(*first, where) < at(*second, where)]
    found = break_even(*first, *second)
    if not places or (below and below[-1] == places[-1]):
        assert found is None
    else:
        # All zeros are among the places, so the first after the last one below is the answer.
        expected = min(where for where in places if not below or where > below[-1])
        assert found == pytest.approx(float(expected), abs=1e-9)


def test_labels_needed_by_hand():
    assert labels_needed(X, Y, 0.3) == pytest.approx(60)
    assert labels_needed(X, Y, 0.45) == pytest.approx(100)
    assert labels_needed(X, Y, 0.5) == 120
    assert labels_needed(X, Y, 0.1) == 40
    assert labels_needed(X, Y, 0.51) is None
    assert labels_needed((1, 2, 3, 4), (0, 1, 0, 1), 0.5) == 1.5


@unhurried
@given(curve(), heights)
def test_labels_needed_is_the_first_place_that_reaches(points, level):
    x, y = points
    flat = ([x[0], x[-1]], [level, level]) if len(x) > 1 else ([x[0]], [level])
    places = sorted({*fine(points, flat), *roots(points, flat)})
    reached = [where for where in places if at(x, y, where) >= level]
    found = labels_needed(x, y, level)
    if not reached:
        assert found is None
    else:
        assert found == pytest.approx(float(reached[0]), abs=1e-9)


@pytest.mark.parametrize(
    ("needed", "other", "expected"),
    [(60, 80, 0.25), (80, 60, -1 / 3), (80, 80, 0), (None, 80, None), (80, None, None)],
)
def test_the_saving(needed, other, expected):
    found = saving(needed, other)
    assert found is None if expected is None else found == pytest.approx(expected)


def test_arrays_will_do():
    assert labels_needed(np.array(X), np.array(Y), 0.3) == pytest.approx(60)
