"""Numbers of a comparison as people read them."""

import math

from mrcnn_al.comparison.axis_analysis import Saving
from mrcnn_al.comparison.statistics import Interval

NONE = "–"


def interval_text(interval: Interval, signed: bool = False) -> str:
    """The mean with its interval, `0.512 [0.498, 0.526]`."""
    if not interval.count:
        return NONE
    sign = "+" if signed else ""
    mean = format(interval.mean, f"{sign}.3f")
    if math.isnan(interval.low):
        return mean
    low, high = (format(value, f"{sign}.3f") for value in (interval.low, interval.high))
    return f"{mean} [{low}, {high}]"


def p_text(p: float | None) -> str:
    """A p-value."""
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def labels_text(count: float | None) -> str:
    """A number of labels, which may lie between two whole ones."""
    return NONE if count is None else f"{count:,.0f}"


def share_text(share: float | None) -> str:
    """A part of something."""
    # Adding 0 makes -0 plain.
    return NONE if share is None else f"{round(100 * share) + 0:.0f} %"


def needed_text(saving: Saving, first: float) -> str:
    """The labels that a level takes; `> last` where it is not reached.

    Args:
        saving: what is to be said.
        first: where the mean curve begins.
    """
    if saving.needed is None:
        return f"> {labels_text(saving.last)}"
    begun = "≤ " if saving.needed <= first else ""
    return begun + labels_text(saving.needed)


def counted(count: int, what: str) -> str:
    """`1 repeat`, `2 repeats`."""
    return f"{count} {what}" + ("" if count == 1 else "s")
