"""What a few repeats allow to say: intervals and paired tests, on numbers only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
_MOST_SIGNS = 40


@dataclass(frozen=True)
class Interval:
    """A mean and how far it can be trusted.

    Attributes:
        mean: of the values; NaN of none.
        low: end of the interval; NaN of fewer than two values.
        high: the other end.
        count: of values.
    """

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class SignFlips:
    """The outcome of an exact permutation test.

    Attributes:
        one_sided: p-value for a mean difference above zero.
        two_sided: p-value for one other than zero.
        smallest_one_sided: the smallest p-value that so many pairs can give.
        smallest_two_sided: the same for two sides.
    """

    one_sided: float
    two_sided: float
    smallest_one_sided: float
    smallest_two_sided: float


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The mean and its interval by Student's t with N - 1 degrees of freedom.

    mean ± t * s / sqrt(N), s the sample standard deviation (Student 1908). It assumes that the
    values are independent and about normal.

    Args:
        values: [N].
        confidence: how often such an interval holds the true mean, 0 to 1.
    """
    from scipy.stats import t

    values = np.asarray(values, np.float64)
    count = len(values)
    if not count:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(values.mean())
    if count == 1:
        return Interval(mean, math.nan, math.nan, 1)
    error = values.std(ddof=1) / math.sqrt(count)
    half = float(t.ppf(0.5 + confidence / 2, count - 1) * error)
    return Interval(mean, mean - half, mean + half, count)


def paired_t_test(differences: Sequence[float]) -> float | None:
    """Two-sided p-value of the paired t-test (Student 1908) that the mean difference is zero.

    Args:
        differences: [N], one of each pair.

    Returns:
        None of fewer than two pairs. Of differences that are all the same 1 if they are zero,
        else 0.
    """
    from scipy.stats import t

    differences = np.asarray(differences, np.float64)
    count = len(differences)
    if count < 2:
        return None
    mean, error = differences.mean(), differences.std(ddof=1) / math.sqrt(count)
    # Rounding leaves a little of a deviation that is none.
    if error <= 1e-12 * abs(mean):
        return float(mean == 0)
    return float(2 * t.sf(abs(mean) / error, count - 1))


def sign_flip_test(differences: Sequence[float]) -> SignFlips | None:
    """Exact permutation test of paired differences by all 2^N changes of sign.

    Under the hypothesis that the two of a pair are exchangeable, each sign is as likely as the
    other (Fisher 1935, The Design of Experiments, section 21). The p-value is the share of the
    2^N sums that are at least as far from zero as the one that was found, that one included;
    sums that are equal but for rounding count as equal.

    Args:
        differences: [N], one of each pair, N at most 40.

    Returns:
        None without pairs.

    Raises:
        ValueError: there are more than 40.
    """
    differences = np.asarray(differences, np.float64)
    count = len(differences)
    if count > _MOST_SIGNS:
        raise ValueError(f"{count} pairs, but at most {_MOST_SIGNS} can be counted.")
    if not count:
        return None
    total, tolerance = differences.sum(), 1e-9 * np.abs(differences).sum()
    upper = _sums_from(differences, total - tolerance)
    if abs(total) <= tolerance:
        two_sided = 1.0
    else:
        # The sums lie symmetrically about zero.
        two_sided = 2 * _sums_from(differences, abs(total) - tolerance) / 2**count
    return SignFlips(upper / 2**count, two_sided, 2.0**-count, min(1.0, 2.0 ** (1 - count)))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p-values adjusted for being several (Holm 1979), in the order given.

    The i-th smallest of m is multiplied by m - i + 1; none is below a smaller one's, none above
    1. Rejecting those at most alpha keeps the chance of any false rejection at alpha.
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, highest = [0.0] * len(order), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * float(p_values[index])))
        adjusted[index] = highest
    return tuple(adjusted)


def repeats_needed(level: float = 1 - CONFIDENCE, sides: int = 2) -> int:
    """The fewest pairs with which the exact permutation test can give at most `level`."""
    # Rounding: 0.05 is not 1 - 0.95.
    return next(n for n in range(1, 65) if sides * 2.0**-n <= level * (1 + 1e-9))


def _sums_from(differences: np.ndarray, least: float) -> int:
    """How many of the 2^N sums with any signs are at least `least`; each half's sums meet."""
    middle = len(differences) // 2
    left = np.sort(_sums(differences[:middle]))
    right = _sums(differences[middle:])
    return int((len(left) - np.searchsorted(left, least - right, side="left")).sum())


def _sums(differences: np.ndarray) -> np.ndarray:
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate([sums - difference, sums + difference])
    return sums
