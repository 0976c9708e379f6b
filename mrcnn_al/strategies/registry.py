"""Strategies by the name under which users ask for them."""

import inspect
from collections.abc import Callable
from typing import Any

from mrcnn_al.errors import UserError, nearest
from mrcnn_al.strategies.base import Strategy

_strategies: dict[str, type[Strategy]] = {}


def register(name: str) -> Callable[[type[Strategy]], type[Strategy]]:
    """Makes the decorated class known as `name` and sets its attribute `name`.

    Raises:
        ValueError: the name is taken.
    """

    def decorate(strategy: type[Strategy]) -> type[Strategy]:
        if name in _strategies:
            raise ValueError(f"Strategy {name!r} is registered already.")
        strategy.name = name
        _strategies[name] = strategy
        return strategy

    return decorate


def strategy_names() -> tuple[str, ...]:
    """All registered names, sorted."""
    return tuple(sorted(_strategies))


def strategy_options(name: str) -> tuple[str, ...]:
    """The options that `make_strategy(name, ...)` understands.

    Raises:
        UserError: no strategy has that name.
    """
    return tuple(inspect.signature(_find(name)).parameters)


def make_strategy(name: str, **options: Any) -> Strategy:
    """A strategy by its name.

    Raises:
        UserError: no strategy has that name, or it has no such option, or not of that value.
    """
    known = strategy_options(name)
    for option in options:
        if option not in known:
            raise UserError(
                f"Strategy {name!r} has no option {option!r}; "
                f"its options are: {', '.join(known) or 'none'}."
            )
    return _find(name)(**options)


def _find(name: str) -> type[Strategy]:
    if name in _strategies:
        return _strategies[name]
    raise UserError(f"Unknown strategy {name!r}. {nearest(name, strategy_names())}")
