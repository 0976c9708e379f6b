"""The template, for every registered strategy with every modifier."""

import itertools

import pytest
from template import StrategyTemplate

from mrcnn_al.strategies import make_strategy, strategy_names, strategy_options

# What any strategy may be asked for, and what some may.
OPTIONS = {
    **dict.fromkeys(("balanced", "skip_undetected", "shuffle"), (False, True)),
    "zones": ("rank", "value"),
    "aggregate": (None, "max", "mean", "sum"),
}


def pairwise(options):
    """Few choices in which any two values of any two options occur together."""
    names, chosen = list(options), []
    missing = {
        ((one, x), (other, y))
        for one, other in itertools.combinations(names, 2)
        for x, y in itertools.product(options[one], options[other])
    }
    every = [dict(zip(names, v, strict=True)) for v in itertools.product(*options.values())]
    covered = lambda choice: missing & set(itertools.combinations(choice.items(), 2))
    while missing:
        best = max(every, key=lambda choice: len(covered(choice)))
        chosen.append(best)
        missing -= covered(best)
    return chosen


def variants(name):
    """A strategy with few combinations of what it may be asked for, by what that is."""
    usual = ("balanced", "skip_undetected", "shuffle", *strategy_options(name))
    chosen = pairwise({key: OPTIONS[key] for key in usual if key in OPTIONS})
    if name == "semi":
        chosen.append({"zones": "value", "pseudo_threshold": 100, "pseudo_from": 3})
    given = [{key: v for key, v in options.items() if v is not None} for options in chosen]
    return {f"{name} with {options}": make_strategy(name, **options) for options in given}


class TestEveryStrategy(StrategyTemplate):
    @pytest.fixture(params=strategy_names())
    def strategies(self, request):
        return variants(request.param)


def test_pairs_of_options_occur_together():
    chosen = pairwise(OPTIONS)
    for one, other in itertools.combinations(OPTIONS, 2):
        pairs = {(choice[one], choice[other]) for choice in chosen}
        assert pairs == set(itertools.product(OPTIONS[one], OPTIONS[other]))
    assert len(chosen) <= 10


def test_the_names_are_those_of_the_documentation():
    assert strategy_names() == (
        *("core-set", "entropy", "least-confident", "margin", "mask", "mask-class", "maskal"),
        *("random", "random-balanced", "semi"),
    )
