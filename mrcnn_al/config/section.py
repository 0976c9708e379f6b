"""What the parts of the configuration share: presets, YAML values, checks."""

import dataclasses
import math
import types
import typing
from collections.abc import Callable
from typing import Any, ClassVar

from mrcnn_al.errors import UserError, nearest

PRESETS = ("matterport", "nucleus", "thesis", "cpu")


class Section:
    """What the configuration dataclasses share: presets, checked construction, choices."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    choices: ClassVar[dict[str, tuple[Any, ...] | Callable[[], tuple[Any, ...]]]] = {}
    bounds: ClassVar[dict[str, tuple[float, float]]] = {}

    @classmethod
    def preset(cls, name: str, /, **overrides):
        """The values of a preset, with some of them replaced.

        Raises:
            UserError: an unknown preset or field, or a value out of range.
        """
        if name not in PRESETS:
            raise UserError(f"Unknown preset {name!r}. {nearest(name, PRESETS)}")
        return cls.from_dict({**cls.presets.get(name, {}), **overrides})

    @classmethod
    def from_dict(cls, values: dict[str, Any]):
        """From plain values; lists become tuples.

        Raises:
            UserError: an unknown field (the nearest known one is named) or a value out of range.
        """
        known = list(cls._hints())
        for name in values:
            if name not in known:
                raise UserError(f"{cls.__name__} has no field {name!r}. {nearest(name, known)}")
        tupled = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**tupled)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for YAML; tuples become lists."""
        values = {name: getattr(self, name) for name in self._hints()}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def _hints(cls) -> dict[str, Any]:
        hints = typing.get_type_hints(cls)
        return {f.name: hints[f.name] for f in dataclasses.fields(cls)}

    def __post_init__(self):
        for name, hint in self._hints().items():
            value = getattr(self, name)
            if not _matches(value, hint):
                raise UserError(
                    f"{type(self).__name__}.{name} is {value!r}; it must be {_describe(hint)}."
                )
        for name, allowed in self.choices.items():
            allowed = allowed() if callable(allowed) else allowed
            if getattr(self, name) not in allowed:
                raise UserError(
                    f"{name} is {getattr(self, name)!r}; it must be one of "
                    f"{', '.join(map(repr, allowed))}."
                )
        for name, (low, high) in self.bounds.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UserError(f"{name} is {value}; it must be from {low} to {high}.")


def _matches(value: Any, hint: Any) -> bool:
    if typing.get_origin(hint) is types.UnionType:
        return any(_matches(value, option) for option in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)
        if not isinstance(value, tuple):
            return False
        if inner[-1] is Ellipsis:
            inner = inner[:1] * len(value)
        return len(inner) == len(value) and all(map(_matches, value, inner))
    if isinstance(value, bool):
        return hint is bool
    if hint is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, hint)


def _describe(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
