"""Margin, the class uncertainty between the two likeliest classes."""

import numpy as np


def margin(probabilities: np.ndarray) -> np.ndarray:
    """1 - (p1 - p2) of each instance, of the likeliest and the second likeliest class.

    Source: Scheffer et al. 2001, turned round so that the uncertain are high.

    Args:
        probabilities: float [N, C], one distribution per instance, background included,
            C >= 2.

    Returns:
        float64 [N], each in [0, 1].
    """
    p = np.sort(np.asarray(probabilities, np.float64), axis=1)
    return np.clip(1.0 - (p[:, -1] - p[:, -2]), 0.0, 1.0)
