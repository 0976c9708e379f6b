"""From the uncertainties of instances to one number for their image."""

import numpy as np

AGGREGATES = ("max", "mean", "sum")


def aggregate(values: np.ndarray, how: str) -> float:
    """One number for an image.

    The thesis takes the maximum (eq. 3.2 and 3.4); mean and sum are those of the literature
    on detection (Brust et al. 2018). Only the sum grows with the number of objects.

    Args:
        values: float [N], one for each instance of all passes.
        how: `max`, `mean` or `sum`.

    Returns:
        0 without instances.

    Raises:
        ValueError: `how` is neither.
    """
    if how not in AGGREGATES:
        raise ValueError(f"Aggregate {how!r}; known: {', '.join(AGGREGATES)}.")
    return float(getattr(np, how)(values)) if len(values) else 0.0
