"""Values of unknown files in messages."""

import reprlib
from typing import Any

_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2
_SHORT.maxdict = 5
_SHORT.maxlist = 4
_SHORT.maxlong = 24
_SHORT.maxstring = 80
_FEW = 3


def shown(value: Any) -> str:
    """A value as Python writes it, but never long, deep or with characters that cannot be shown."""
    return _SHORT.repr(value)


def first_few(problems: list[str]) -> str:
    """The first problems in one line, and how many more there are."""
    more = f" (and {len(problems) - _FEW} more)" if len(problems) > _FEW else ""
    return "; ".join(problems[:_FEW]) + more
