"""Least confidence, the class uncertainty of the surest guess."""

import numpy as np


def least_confident(probabilities: np.ndarray) -> np.ndarray:
    """1 - max_c p(c) of each instance (thesis, eq. 3.1).

    Args:
        probabilities: float [N, C], one distribution per instance, background included.

    Returns:
        float64 [N], each in [0, 1 - 1/C].
    """
    surest = np.asarray(probabilities, np.float64).max(axis=1, initial=0.0)
    return np.maximum(1.0 - surest, 0.0)
