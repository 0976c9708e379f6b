"""Least confidence, the class uncertainty of the surest guess."""

import numpy as np


def least_confident(probabilities: np.ndarray) -> float:
    """The largest 1 - max_c p(c) among the instances of an image (thesis, eq. 3.1 and 3.2).

    Args:
        probabilities: float [N, C], one distribution per instance, background included.

    Returns:
        A number in [0, 1 - 1/C]; 0 without instances.
    """
    if not len(probabilities):
        return 0.0
    doubt = 1.0 - np.asarray(probabilities, np.float64).max(axis=1)
    return float(doubt.max(initial=0.0))
