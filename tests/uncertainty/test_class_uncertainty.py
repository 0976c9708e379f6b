"""Class uncertainty against the formulas, written out."""

import math

import numpy as np
import pytest

from mrcnn_al.uncertainty.aggregate import AGGREGATES, aggregate
from mrcnn_al.uncertainty.entropy import entropy
from mrcnn_al.uncertainty.least_confident import least_confident
from mrcnn_al.uncertainty.margin import margin

MEASURES = (least_confident, entropy, margin)


def literal_least_confident(row):
    return 1 - max(row)


def literal_entropy(row):
    return -sum(p * math.log(p) for p in row if p > 0)


def literal_margin(row):
    first, second, *_ = sorted(row, reverse=True)
    return 1 - (first - second)


def literal_aggregate(values, how):
    return {"max": max(values), "mean": sum(values) / len(values), "sum": sum(values)}[how]


LITERAL = (literal_least_confident, literal_entropy, literal_margin)


def random_distributions(seed, dtype):
    random = np.random.default_rng(seed)
    instances, classes = random.integers(1, 30), random.integers(2, 12)
    p = random.dirichlet(np.full(classes, 0.2), size=instances)
    p[p < 1e-3] = 0
    return (p / p.sum(axis=1, keepdims=True)).astype(dtype)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("measure", "literal"), list(zip(MEASURES, LITERAL, strict=True)))
def test_random_distributions(seed, dtype, measure, literal):
    p = random_distributions(seed, dtype)
    expected = [literal(row) for row in p.tolist()]
    measured = measure(p)
    assert measured.shape == (len(p),)
    np.testing.assert_allclose(measured, expected, atol=1e-7 if dtype == np.float32 else 1e-12)
    for how in AGGREGATES:
        assert aggregate(measured, how) == pytest.approx(
            literal_aggregate(measured.tolist(), how), abs=1e-12
        )


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("how", AGGREGATES)
def test_no_instance_is_no_class_uncertainty(measure, how):
    assert aggregate(measure(np.zeros((0, 5), np.float32)), how) == 0.0


@pytest.mark.parametrize("measure", MEASURES)
def test_certainty_is_a_positive_zero(measure):
    values = measure(np.eye(4, dtype=np.float32))
    np.testing.assert_array_equal(values, 0.0)
    assert not np.signbit(values).any()


@pytest.mark.parametrize("measure", MEASURES)
def test_a_softmax_that_rounds_above_one_is_not_negative(measure):
    values = measure(np.array([[np.nextafter(np.float32(1), np.float32(2)), 0]]))
    assert values.tolist() == [0.0]


def test_even_odds():
    p = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])
    assert least_confident(p).max() == 0.5
    assert entropy(p).max() == pytest.approx(math.log(2))
    assert margin(p).max() == 1.0


def test_unknown_aggregates_are_refused():
    with pytest.raises(ValueError, match="'median'; known: max, mean, sum"):
        aggregate(np.ones(3), "median")
