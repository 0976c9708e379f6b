"""Arms against their baselines, repeat by repeat."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mrcnn_al.comparison.statistics import (
    Interval,
    SignFlips,
    holm,
    mean_interval,
    paired_t_test,
    sign_flip_test,
)


@dataclass(frozen=True)
class PairedTest:
    """Whether an arm differs from its baseline, over the repeats.

    Attributes:
        difference: of the arm minus that of the baseline.
        t_test: two-sided p-value; None of fewer than two repeats.
        sign_flips: the exact permutation test; None without repeats.
        t_test_adjusted: `t_test` by Holm for all arms that are tested; None without.
        sign_flips_adjusted: the two-sided p-value of `sign_flips` by Holm; None without.
    """

    difference: Interval
    t_test: float | None
    sign_flips: SignFlips | None
    t_test_adjusted: float | None = None
    sign_flips_adjusted: float | None = None


def paired_test(differences: Sequence[float]) -> PairedTest:
    """The tests of some differences, not adjusted yet.

    Args:
        differences: one for each repeat.
    """
    return PairedTest(
        mean_interval(differences), paired_t_test(differences), sign_flip_test(differences)
    )


def adjusted(tests: Mapping[str, PairedTest]) -> dict[str, PairedTest]:
    """The same tests with their p-values adjusted for being several."""
    t_tests = {name: test.t_test for name, test in tests.items() if test.t_test is not None}
    flips = {name: t.sign_flips.two_sided for name, t in tests.items() if t.sign_flips is not None}
    t_tests = dict(zip(t_tests, holm(list(t_tests.values())), strict=True))
    flips = dict(zip(flips, holm(list(flips.values())), strict=True))
    return {
        name: dataclasses.replace(
            test, t_test_adjusted=t_tests.get(name), sign_flips_adjusted=flips.get(name)
        )
        for name, test in tests.items()
    }
