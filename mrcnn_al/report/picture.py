"""Pictures as PNG files."""

import os

import numpy as np

from mrcnn_al.files import replacing


def write_picture(path: str | os.PathLike, image: np.ndarray) -> None:
    """Writes a uint8 RGB image [H, W, 3] as PNG, atomically."""
    from PIL import Image

    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary, format="PNG")
