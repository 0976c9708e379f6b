"""The one exception that users are meant to read."""

import difflib
from collections.abc import Iterable
from typing import Any

_FEW = 12


class UserError(Exception):
    """Something the user gave cannot be used.

    The message says what was wrong, where, and what to do. The command line prints it
    without a traceback and exits with code 2.
    """


def nearest(name: Any, known: Iterable[str]) -> str:
    """A hint for somebody who has mistyped a name."""
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=1)
    everything = f"Known are: {', '.join(known)}."
    if not close:
        return everything
    return f"Did you mean {close[0]!r}?" + (f" {everything}" if len(known) <= _FEW else "")
