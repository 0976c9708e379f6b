"""Pixels to objects."""

import numpy as np
from scipy import ndimage

_EVERY_NEIGHBOUR = np.ones((3, 3), bool)


def separate(
    foreground: np.ndarray,
    contours: np.ndarray | None,
    least_area: int,
    least_distance: int,
) -> np.ndarray:
    """Parts the foreground into objects, by a watershed from their insides.

    An inside is what the contours leave of the foreground, and within that each local maximum of
    the distance to its border.

    Args:
        foreground: bool [H, W].
        contours: chance of each pixel to be on an outline, float [H, W]; None where there are
            none.
        least_area: what is smaller is no object, pixels.
        least_distance: between two maxima, pixels.

    Returns:
        int32 [H, W], objects numbered from 1, 0 outside of them.
    """
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    inside = foreground if contours is None else foreground & (contours < 0.5)
    distance = ndimage.gaussian_filter(
        ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1].astype(np.float32), 1.0
    )
    peaks = peak_local_max(
        distance, min_distance=least_distance, threshold_abs=0.5, exclude_border=False
    )
    markers = np.zeros(foreground.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    markers[~foreground] = 0
    # What is too thin to have an inside is an object all the same.
    parts, count = ndimage.label(foreground, _EVERY_NEIGHBOUR)
    marked = np.zeros(count + 1, bool)
    marked[parts[markers > 0]] = True
    alone = foreground & ~marked[parts]
    markers[alone] = parts[alone] + len(peaks)
    labels = watershed(-distance, markers, mask=foreground)
    areas = np.bincount(labels.ravel())
    kept = areas >= least_area
    kept[0] = False
    return (np.cumsum(kept) * kept).astype(np.int32)[labels]
