"""The template, for every registered strategy with every modifier."""

import itertools

import pytest
from template import StrategyTemplate

from mrcnn_al.strategies import make_strategy, strategy_names, strategy_options

MODIFIERS = ("balanced", "skip_undetected", "shuffle")
VALUES = {"zones": ("value",), "aggregate": ("max", "mean", "sum")}


def variants():
    for name in strategy_names():
        for chosen in itertools.product([False, True], repeat=len(MODIFIERS)):
            yield name, dict(zip(MODIFIERS, chosen, strict=True))
        for option in sorted(set(VALUES) & set(strategy_options(name))):
            for value in VALUES[option]:
                yield name, {option: value}
                yield name, {option: value, **dict.fromkeys(MODIFIERS, True)}
    yield "semi", {"zones": "value", "pseudo_threshold": 100, "pseudo_from": 3}


def described(variant):
    name, options = variant
    return "-".join([name, *(f"{key}={value}" for key, value in options.items() if value)])


class TestEveryStrategy(StrategyTemplate):
    @pytest.fixture(params=list(variants()), ids=described)
    def strategy(self, request):
        name, options = request.param
        return make_strategy(name, **options)


def test_the_names_are_those_of_the_documentation():
    assert strategy_names() == (
        *("core-set", "entropy", "least-confident", "margin", "mask", "mask-class", "maskal"),
        *("random", "random-balanced", "semi"),
    )
