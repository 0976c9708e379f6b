"""How far our numbers are from the reference's, asserted and kept for the table at the end."""

import numpy as np

# quantity -> (largest deviation, bound)
SEEN: dict[str, tuple[float, float]] = {}


def within(quantity: str, ours, theirs, bound: float) -> None:
    """Asserts that the largest absolute difference of two arrays is within a bound."""
    theirs = np.asarray(theirs)
    assert np.shape(ours) == theirs.shape
    note(quantity, np.abs(np.asarray(ours, np.float64) - theirs).max(initial=0), bound)


def within_relative(quantity: str, ours: float, theirs: float, bound: float) -> None:
    """Asserts that two numbers differ by no more than a share of the second."""
    note(f"{quantity} (relative)", abs(float(ours) - float(theirs)) / abs(float(theirs)), bound)


def note(quantity: str, deviation: float, bound: float) -> None:
    """Asserts that a deviation is within its bound."""
    merge({quantity: (float(deviation), bound)})
    assert deviation <= bound, f"{quantity}: {deviation} exceeds {bound}"


def merge(seen: dict) -> None:
    """Keeps the larger deviation of each quantity."""
    for quantity, (deviation, bound) in seen.items():
        largest, _ = SEEN.get(quantity, (0.0, bound))
        SEEN[quantity] = (max(largest, deviation), bound)


def table(backend: str) -> list[str]:
    """The largest deviations as lines of a Markdown table."""
    rows = [f"| {name} | {seen:.1e} | {bound:.0e} |" for name, (seen, bound) in SEEN.items()]
    return [f"| quantity | largest deviation ({backend}) | bound |", "|---|---|---|", *rows]
