"""The masks of the stochastic passes over one image, side by side (thesis, figure 3.3)."""

import math
import os
from collections.abc import Sequence

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.report.canvas import drawing
from mrcnn_al.report.overlay import draw_instances
from mrcnn_al.report.palette import MUTED
from mrcnn_al.uncertainty.mask_variance import mask_variance, variance_map

_TILE_INCHES = 2.1
_TILE_PIXELS = 512


def draw_passes_sheet(
    path: str | os.PathLike, image: np.ndarray, passes: Sequence[Instances], title: str = ""
) -> None:
    """The image, the masks of each pass, and where the passes disagree.

    The last picture is black where all passes agree, brightest where half of them have a mask;
    the number is the mask uncertainty of the image.

    Args:
        path: of the PNG.
        image: RGB, uint8 [H, W, 3].
        passes: the detections of T passes over it, T at least 1.
        title: above everything.

    Raises:
        ValueError: there is no pass, or sizes differ.
    """
    variance = variance_map(passes)
    uncertainty = mask_variance(passes)
    mean = sum(uncertainty.values()) / max(len(uncertainty), 1)
    tiles = [("image", image)]
    tiles += [
        (f"pass {number}: {len(instances)}", draw_instances(image, instances))
        for number, instances in enumerate(passes, start=1)
    ]
    count = len(tiles) + 1
    # Four columns, or what leaves fewer places empty.
    columns = min(count, min((4, 5, 3), key=lambda number: -count % number))
    rows = math.ceil(count / columns)
    tile_height = _TILE_INCHES * image.shape[0] / image.shape[1] + 0.3
    width = _TILE_INCHES * columns
    with drawing(path, width, rows * tile_height + (0.4 if title else 0.0)) as figure:
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid:
            axes.axis("off")
        for axes, (caption, picture) in zip(grid, tiles, strict=False):
            axes.imshow(_shrunk(picture))
            _caption(axes, caption)
        last = grid[len(tiles)]
        # A pixel that is on or off varies by 1/4 at most.
        last.imshow(_shrunk(variance), cmap="magma", vmin=0, vmax=0.25)
        _caption(last, f"variance: {mean:,.0f} px")


def _shrunk(picture: np.ndarray) -> np.ndarray:
    """At most as large as it is shown; every pixel counts, so that thin lines stay whole."""
    from PIL import Image

    factor = math.ceil(max(picture.shape[:2]) / _TILE_PIXELS)
    # Pillow has 32 bits for floats.
    narrow = picture if picture.dtype == np.uint8 else picture.astype(np.float32)
    return np.asarray(Image.fromarray(narrow).reduce(factor))


def _caption(axes, text: str) -> None:
    axes.set_title(text, fontsize=8.5, fontweight="normal", color=MUTED, pad=3)
