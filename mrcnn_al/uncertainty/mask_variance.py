"""Mask uncertainty: how much the masks of one image differ between stochastic passes."""

from collections.abc import Iterator, Sequence

import numpy as np

from mrcnn_al.instances import Instances


def mask_variance(passes: Sequence[Instances]) -> dict[int, float]:
    """The summed pixel variance of each class over T passes (thesis, chapter 3).

    In each pass a pixel is 1 where any mask of the class covers it. Covered in a share p of
    the passes, it has the population variance p (1 - p); the sum runs over the whole image.

    Args:
        passes: the detections of T passes over one image.

    Returns:
        Class id to pixels, ascending, for the classes that were detected in any pass.

    Raises:
        ValueError: the passes are of images of different sizes.
    """
    # k (T - k) stays an integer until the end: the sum is exact and needs no float image.
    total = len(passes)
    return {
        class_id: int((counts * (total - counts)).sum()) / total**2
        for class_id, _, counts in _cover_counts(passes)
    }


def variance_map(passes: Sequence[Instances]) -> np.ndarray:
    """The pixel variance of `mask_variance` before its sum, added over the classes.

    Args:
        passes: the detections of at least one pass over one image.

    Returns:
        float32 [H, W].

    Raises:
        ValueError: there is no pass, or the passes are of images of different sizes.
    """
    if not passes:
        raise ValueError("A variance map needs at least one pass.")
    total = len(passes)
    result = np.zeros((passes[0].height, passes[0].width), np.float32)
    for _, (y1, x1, y2, x2), counts in _cover_counts(passes):
        result[y1:y2, x1:x2] += (counts * (total - counts)).astype(np.float32) / total**2
    return result


def _cover_counts(passes: Sequence[Instances]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yields class id, window (y1, x1, y2, x2) and in how many passes each pixel is covered."""
    if len({(instances.height, instances.width) for instances in passes}) > 1:
        raise ValueError("The passes are of images of different sizes.")
    class_ids = {int(class_id) for instances in passes for class_id in instances.class_ids}
    for class_id in sorted(class_ids):
        picks = [np.flatnonzero(instances.class_ids == class_id) for instances in passes]
        boxes = np.concatenate(
            [instances.boxes[pick] for instances, pick in zip(passes, picks, strict=True)]
        )
        top, left = boxes[:, :2].min(axis=0)
        bottom, right = boxes[:, 2:].max(axis=0)
        counts = np.zeros((bottom - top, right - left), np.int32)
        for instances, pick in zip(passes, picks, strict=True):
            union = np.zeros(counts.shape, bool)
            for index in pick:
                y1, x1, y2, x2 = instances.boxes[index]
                union[y1 - top : y2 - top, x1 - left : x2 - left] |= instances.masks[index]
            counts += union
        yield class_id, np.array([top, left, bottom, right]), counts
