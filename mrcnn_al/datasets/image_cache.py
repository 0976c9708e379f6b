"""Images that were loaded a short while ago."""

from collections.abc import Callable
from threading import Lock

import numpy as np
from cachetools import LRUCache, cached

# Some 350 images of 1024 x 1024.
MOST_BYTES = 2**30


def cached_images(
    load_image: Callable[[str], np.ndarray], most_bytes: int = MOST_BYTES
) -> Callable[[str], np.ndarray]:
    """Keeps the images used last, as many as there is room for, whatever their sizes.

    Args:
        load_image: image id to uint8 RGB [H, W, 3].
        most_bytes: an image that is larger is loaded each time.

    Returns:
        The same function, for any number of threads; nobody may change the arrays.
    """
    kept = LRUCache(most_bytes, getsizeof=lambda image: image.nbytes)
    return cached(kept, lock=Lock())(load_image)
