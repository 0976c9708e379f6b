"""The one place that turns a strategy's configuration into a strategy."""

from collections.abc import Collection

from mrcnn_al.config import StrategyConfig
from mrcnn_al.errors import UserError
from mrcnn_al.strategies.base import Strategy
from mrcnn_al.strategies.registry import make_strategy, strategy_names, strategy_options

# Of the loop, whatever the strategy.
_OF_ALL = ("name", "batch")
# What the loop does with pseudo-labels means something where a strategy gives some.
_PSEUDO_LABELS, _GIVES_PSEUDO_LABELS = "pseudo_labels", "pseudo_threshold"


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


def check_strategy_settings(name: str, given: Collection[str]) -> None:
    """Refuses settings that a strategy would ignore.

    Args:
        name: of the strategy.
        given: the fields of StrategyConfig that the user asked for.

    Raises:
        UserError: no strategy has that name, or it ignores one of them; it is named, with the
            strategies that have it.
    """
    understood = _understood(name)
    for field in given:
        if field in understood or field not in StrategyConfig.__dataclass_fields__:
            continue
        others = [other for other in strategy_names() if field in _understood(other)]
        raise UserError(
            f"The strategy {name} would ignore --{field.replace('_', '-')} (strategy.{field}), "
            f"which is for {', '.join(others)}. Leave it out, or take one of these."
        )


def _understood(name):
    options = strategy_options(name)
    return {*options, *_OF_ALL, *([_PSEUDO_LABELS] if _GIVES_PSEUDO_LABELS in options else [])}
