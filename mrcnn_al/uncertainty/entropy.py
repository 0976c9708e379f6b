"""Entropy, the class uncertainty of the whole distribution."""

import numpy as np


def entropy(probabilities: np.ndarray) -> float:
    """The largest -sum_c p(c) ln p(c) among the instances of an image (thesis, eq. 3.3 and 3.4).

    Args:
        probabilities: float [N, C], one distribution per instance, background included;
            an impossible class adds nothing (0 ln 0 = 0).

    Returns:
        Nats, in [0, ln C]; 0 without instances.
    """
    if not len(probabilities):
        return 0.0
    p = np.asarray(probabilities, np.float64)
    logarithms = np.log(p, out=np.zeros_like(p), where=p > 0)
    # Subtracting from zero, because negating the sum makes -0.0 of a certain instance.
    nats = 0.0 - (p * logarithms).sum(axis=1)
    return float(nats.max(initial=0.0))
