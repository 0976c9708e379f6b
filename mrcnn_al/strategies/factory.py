"""The one place that turns a strategy's configuration into a strategy."""

from mrcnn_al.config import StrategyConfig
from mrcnn_al.strategies.base import Strategy
from mrcnn_al.strategies.registry import make_strategy, strategy_options


def strategy_from_config(config: StrategyConfig) -> Strategy:
    """The strategy of that name with those of the settings that it understands.

    Raises:
        UserError: no strategy has that name, it cannot aggregate but is told how, or a setting
            is out of range.
    """
    options = {name: getattr(config, name) for name in strategy_options(config.name)}
    # Unlike the others this has no value until somebody asks for one; strategies differ in it.
    options["aggregate"] = config.aggregate
    if config.aggregate is None:
        del options["aggregate"]
    return make_strategy(config.name, **options)
