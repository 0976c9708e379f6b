"""Colours in the pictures of a report."""

import numpy as np
from PIL import Image

from mrcnn_al.report.palette import rgb


def read_pixels(path):
    """RGB, uint8 [H, W, 3]."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def count_pixels(path, colour):
    """How many pixels have exactly the colour #rrggbb."""
    return int((read_pixels(path) == rgb(colour)).all(axis=2).sum())
