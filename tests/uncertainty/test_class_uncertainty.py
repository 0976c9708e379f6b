"""Class uncertainty against the thesis's formulas, written out."""

import math

import numpy as np
import pytest

from mrcnn_al.uncertainty.entropy import entropy
from mrcnn_al.uncertainty.least_confident import least_confident


def literal_least_confident(probabilities):
    return max(1 - max(row) for row in probabilities)


def literal_entropy(probabilities):
    return max(-sum(p * math.log(p) for p in row if p > 0) for row in probabilities)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_random_distributions(seed, dtype):
    random = np.random.default_rng(seed)
    instances, classes = random.integers(1, 30), random.integers(2, 12)
    p = random.dirichlet(np.full(classes, 0.2), size=instances)
    p[p < 1e-3] = 0
    p = (p / p.sum(axis=1, keepdims=True)).astype(dtype)
    assert least_confident(p) == pytest.approx(literal_least_confident(p.tolist()), abs=1e-12)
    assert entropy(p) == pytest.approx(literal_entropy(p.tolist()), abs=1e-12)


@pytest.mark.parametrize("measure", [least_confident, entropy])
@pytest.mark.parametrize("shape", [(0, 5), (0, 0)])
def test_no_instance_is_no_class_uncertainty(measure, shape):
    assert measure(np.zeros(shape, np.float32)) == 0.0


@pytest.mark.parametrize("measure", [least_confident, entropy])
def test_certainty_is_a_positive_zero(measure):
    value = measure(np.eye(4, dtype=np.float32))
    assert value == 0.0
    assert math.copysign(1.0, value) == 1.0


@pytest.mark.parametrize("measure", [least_confident, entropy])
def test_a_softmax_that_rounds_above_one_is_not_negative(measure):
    assert measure(np.array([[np.nextafter(np.float32(1), np.float32(2)), 0]])) == 0.0


def test_the_most_uncertain_instance_counts():
    p = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])
    assert least_confident(p) == 0.5
    assert entropy(p) == pytest.approx(math.log(2))
