import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.strategies import MaskStrategy, make_strategy, strategy_names, strategy_options
from mrcnn_al.strategies.registry import register


def test_names_are_known():
    assert {"random", "mask", "semi"} <= set(strategy_names())
    assert all(make_strategy(name).name == name for name in strategy_names())


def test_names_cannot_be_taken_twice():
    with pytest.raises(ValueError, match="mask"):
        register("mask")(MaskStrategy)


def test_an_unknown_name_shows_the_nearest_and_all():
    with pytest.raises(UserError) as error:
        make_strategy("maks")
    assert "Did you mean 'mask'?" in str(error.value)
    assert ", ".join(strategy_names()) in str(error.value)


def test_options_reach_the_strategy():
    strategy = make_strategy("semi", zones="value", pseudo_threshold=7, pseudo_from=3)
    assert strategy.zones == "value"
    assert strategy.pseudo_threshold == 7
    assert strategy.pseudo_from == 3


def test_options_are_listed():
    modifiers = ("balanced", "skip_undetected", "shuffle")
    assert strategy_options("random") == modifiers
    assert strategy_options("maskal") == (*modifiers, "aggregate")
    assert strategy_options("semi") == (*modifiers, "zones", "pseudo_threshold", "pseudo_from")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("random", {"zones": "rank"}, "has no option 'zones'; its options are: balanced"),
        ("mask", {"zone": "rank"}, "its options are: balanced, skip_undetected, shuffle, zones"),
        ("mask", {"zones": "size"}, "known: rank, value"),
        ("semi", {"pseudo_threshold": -1}, "0 px or more"),
        ("semi", {"pseudo_threshold": float("nan")}, "0 px or more"),
        ("semi", {"pseudo_from": 0}, "count from 1"),
    ],
)
def test_wrong_options_are_refused(name, options, message):
    with pytest.raises(UserError, match=message):
        make_strategy(name, **options)
