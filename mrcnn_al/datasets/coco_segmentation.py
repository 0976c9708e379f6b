"""COCO's three ways to write a mask, checked when read and turned into one."""

from array import array
from typing import Any

import numpy as np

from mrcnn_al.datasets.shown import shown

Segmentation = list[np.ndarray] | dict

# A polygon has three points or more.
FEWEST_NUMBERS = 6
# pycocotools walks along every edge in steps of a fifth of a pixel and keeps all of them.
FARTHEST = 1e6
LONGEST_OUTLINE = 2e6
# It also shifts 32-bit numbers by as much as a run has.
_BITS = 30
MOST_PIXELS = 2**32


def parse_segmentation(value: Any, height: int, width: int) -> Segmentation:
    """Checks the `segmentation` of an annotation without drawing it.

    Args:
        value: from the JSON file: polygons [[x1, y1, x2, y2, ...], ...], or a run-length encoding
            {"size": [height, width], "counts": str or list of int}.
        height: of the image, pixels.
        width: of the image, pixels.

    Returns:
        The polygons of three points and more as float64 arrays, or the run-length encoding.

    Raises:
        ValueError: what is wrong with it.
    """
    if isinstance(value, list):
        return _parse_polygons(value)
    if not isinstance(value, dict):
        raise ValueError("its segmentation is neither polygons nor a run-length encoding")
    size, counts = value.get("size"), value.get("counts")
    if size != [height, width]:
        raise other_size(size, height, width)
    runs = decode_counts(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(isinstance(run, int) and run >= 0 for run in runs):
        raise ValueError("its run-length encoding is not one")
    if sum(runs) != height * width:
        raise ValueError(
            f"its runs cover {shown(sum(runs))} pixels, its image has {height} x {width} = "
            f"{height * width}"
        )
    if height * width >= MOST_PIXELS:
        raise ValueError("its mask has more pixels than can be encoded")
    return {"size": [height, width], "counts": counts}


def other_size(size: Any, height: int, width: int) -> ValueError:
    """What is wrong with a run-length encoding of another size than its image."""
    return ValueError(
        f"its mask has size {shown(size)}, its image {[height, width]} (height, width)"
    )


def compressed_rle(segmentation: Segmentation, height: int, width: int) -> dict:
    """One compressed run-length encoding, as pycocotools has it, of a checked segmentation."""
    from pycocotools import mask as coco_mask

    if isinstance(segmentation, dict):
        if not isinstance(segmentation["counts"], list):
            return segmentation
        return coco_mask.frPyObjects(segmentation, height, width)
    return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))


def check_outlines(polygons: list[np.ndarray]) -> None:
    """Makes sure that the polygons of an annotation can be drawn.

    Args:
        polygons: float64, x and y in turn.

    Raises:
        ValueError: a coordinate is not a number or too large, or all outlines together are too
            long.
    """
    # The bound is quick, and settles nearly every case.
    for measure in (_outline_bound, _outline):
        if sum(map(measure, polygons)) <= LONGEST_OUTLINE:
            return
    raise ValueError("its polygons have an outline longer than any object has")


def decode_counts(counts: str) -> list[int]:
    """The run lengths in COCO's compressed `counts`.

    Each run is written in groups of five bits, lowest first, as a printable character; from the
    fourth run on it is the difference to the run before the last. pycocotools decodes this too,
    but fills masks from uninitialised memory when the runs end early.

    Raises:
        ValueError: the text ends within a run, has a run that no image has, or holds characters
            that do not occur in counts.
    """
    runs: list[int] = []
    value = shift = 0
    for character in counts:
        group = ord(character) - 48
        if not 0 <= group < 64:
            raise ValueError("its run-length encoding holds characters that do not belong there")
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            if shift >= _BITS:
                raise ValueError("its run-length encoding has a run that no image has")
            continue
        if group & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("its run-length encoding is cut off")
    return runs


def _parse_polygons(value: list) -> list[np.ndarray]:
    polygons = []
    for polygon in value:
        # Points and lines enclose nothing; pycocotools would take four numbers for a box.
        coordinates = _coordinates(polygon)
        if len(coordinates) >= FEWEST_NUMBERS:
            polygons.append(coordinates)
    if not polygons:
        raise ValueError("its segmentation has no polygon of three points or more")
    check_outlines(polygons)
    return polygons


def _coordinates(polygon: Any) -> np.ndarray:
    if isinstance(polygon, list) and len(polygon) % 2 == 0:
        try:
            # Unlike NumPy this takes no text for a number.
            return np.frombuffer(array("d", polygon), np.float64)
        except TypeError:
            pass
        except OverflowError as error:
            raise ValueError("its polygons have coordinates that no image has") from error
    raise ValueError("its segmentation is not a list of polygons [x1, y1, x2, y2, ...]")


def _outline_bound(polygon: np.ndarray) -> float:
    """What `_outline` cannot exceed.

    Raises:
        ValueError: a coordinate is not a number or too large.
    """
    low, high = polygon.min(), polygon.max()
    # So written that it is true for NaN, too.
    if not (low > -FARTHEST and high < FARTHEST):
        raise ValueError("its polygons have coordinates that no image has")
    return float(high - low) * len(polygon)


def _outline(polygon: np.ndarray) -> float:
    """The edges of a polygon together, each as wide as it is plus as high as it is."""
    points = polygon.reshape(-1, 2)
    return float(np.abs(points - np.roll(points, 1, axis=0)).sum())
