import pytest

from mrcnn_al.config import StrategyConfig
from mrcnn_al.errors import UserError
from mrcnn_al.strategies import make_strategy, strategy_names
from mrcnn_al.strategies.factory import check_strategy_settings, strategy_from_config


@pytest.mark.parametrize("name", strategy_names())
def test_the_defaults_of_the_configuration_are_those_of_the_strategy(name):
    assert strategy_from_config(StrategyConfig(name=name)) == make_strategy(name)


def test_settings_reach_the_strategy():
    config = StrategyConfig(
        name="mask-class",
        balanced=True,
        skip_undetected=True,
        shuffle=True,
        aggregate="sum",
        zones="value",
    )
    strategy = strategy_from_config(config)
    assert strategy.balanced
    assert strategy.skip_undetected
    assert strategy.shuffle
    assert (strategy.aggregate, strategy.zones) == ("sum", "value")


@pytest.mark.parametrize("name", ["random", "mask", "semi", "core-set", "random-balanced"])
def test_what_cannot_aggregate_says_so(name):
    with pytest.raises(UserError, match=f"'{name}' has no option 'aggregate'"):
        strategy_from_config(StrategyConfig(name=name, aggregate="mean"))


def test_unknown_aggregates_are_refused():
    with pytest.raises(UserError, match="aggregate is 'median'"):
        StrategyConfig(aggregate="median")


EVERY = ("name", "batch", "balanced", "skip_undetected", "shuffle")
OF_SEMI = ("zones", "pseudo_threshold", "pseudo_from", "pseudo_labels")


@pytest.mark.parametrize("name", strategy_names())
def test_what_every_strategy_has_is_let_through(name):
    check_strategy_settings(name, EVERY)
    check_strategy_settings(name, ())


def test_what_a_strategy_has_is_let_through():
    check_strategy_settings("semi", (*EVERY, *OF_SEMI))
    check_strategy_settings("mask-class", ("zones", "aggregate"))


@pytest.mark.parametrize(
    ("name", "field", "others"),
    [
        *(("random", field, "semi") for field in OF_SEMI),
        *(("mask", field, "semi") for field in OF_SEMI[1:]),
        ("semi", "aggregate", "entropy, least-confident, margin, mask-class, maskal"),
        ("random", "zones", "mask, mask-class, semi"),
    ],
)
def test_what_a_strategy_would_ignore_is_refused(name, field, others):
    option = "--" + field.replace("_", "-")
    with pytest.raises(UserError, match=f"{name} would ignore {option} .*for .*{others}"):
        check_strategy_settings(name, ("batch", field))


def test_settings_of_an_unknown_strategy():
    with pytest.raises(UserError, match="Did you mean 'mask'"):
        check_strategy_settings("maks", ())
