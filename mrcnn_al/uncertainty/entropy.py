"""Entropy, the class uncertainty of the whole distribution."""

import numpy as np


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """-sum_c p(c) ln p(c) of each instance (thesis, eq. 3.3).

    Args:
        probabilities: float [N, C], one distribution per instance, background included;
            an impossible class adds nothing (0 ln 0 = 0).

    Returns:
        Nats, float64 [N], each in [0, ln C].
    """
    p = np.asarray(probabilities, np.float64)
    logarithms = np.log(p, out=np.zeros_like(p), where=p > 0)
    return np.maximum(0.0 - (p * logarithms).sum(axis=1), 0.0)
