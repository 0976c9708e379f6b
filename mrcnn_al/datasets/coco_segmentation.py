"""COCO's three ways to write a mask, checked when read and turned into one."""

from typing import Any

import numpy as np

Segmentation = list[np.ndarray] | dict


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
        raise ValueError(f"its mask has size {size}, its image {[height, width]} (height, width)")
    runs = decode_counts(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(isinstance(run, int) and run >= 0 for run in runs):
        raise ValueError("its run-length encoding is not one")
    if sum(runs) != height * width:
        raise ValueError(
            f"its runs cover {sum(runs)} pixels, its image has {height} x {width} = "
            f"{height * width}"
        )
    return {"size": size, "counts": counts}


def compressed_rle(segmentation: Segmentation, height: int, width: int) -> dict:
    """One compressed run-length encoding, as pycocotools has it, of a checked segmentation."""
    from pycocotools import mask as coco_mask

    if isinstance(segmentation, dict):
        if isinstance(segmentation["counts"], str):
            return segmentation
        return coco_mask.frPyObjects(segmentation, height, width)
    return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))


def decode_counts(counts: str) -> list[int]:
    """The run lengths in COCO's compressed `counts`.

    Each run is written in groups of five bits, lowest first, as a printable character; from the
    fourth run on it is the difference to the run before the last. pycocotools decodes this too,
    but fills masks from uninitialised memory when the runs end early.

    Raises:
        ValueError: the text ends within a run or holds characters that do not occur in counts.
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
        if not isinstance(polygon, list) or len(polygon) % 2 or not _all_numbers(polygon):
            raise ValueError("its segmentation is not a list of polygons [x1, y1, x2, y2, ...]")
        # Points and lines enclose nothing; pycocotools would take four numbers for a box.
        if len(polygon) >= 6:
            polygons.append(np.array(polygon, np.float64))
    # pycocotools walks along every edge, so a coordinate of 1e12 would never end.
    if any(not (np.abs(polygon) < 1e6).all() for polygon in polygons):
        raise ValueError("its polygons have coordinates that no image has")
    if not polygons:
        raise ValueError("its segmentation has no polygon of three points or more")
    return polygons


def _all_numbers(values: list) -> bool:
    return all(isinstance(value, (int, float)) for value in values)
