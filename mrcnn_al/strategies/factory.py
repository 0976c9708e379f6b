"""The one place that turns a strategy's configuration into a strategy."""

from mrcnn_al.config import StrategyConfig
from mrcnn_al.strategies.base import Strategy
from mrcnn_al.strategies.registry import make_strategy, strategy_options


def strategy_from_config(config: StrategyConfig) -> Strategy:
    """The strategy of that name with those of the settings that it understands.

    Raises:
        UserError: no strategy has that name, or a setting is out of range.
    """
    known = strategy_options(config.name)
    return make_strategy(config.name, **{name: getattr(config, name) for name in known})
