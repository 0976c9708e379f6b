"""Small masks to and from full-size ones (NumPy)."""

import numpy as np


def paste_mask(mask: np.ndarray, box: np.ndarray, height: int, width: int):
    """Scales a small mask to its box and cuts it at one half (Matterport's unmold_mask).

    Values are bilinear between the centres of the small mask's pixels and fall to 0 beyond
    its border. A box may have fractions of a pixel.

    Args:
        mask: float [h, w], probabilities.
        box: (y1, x1, y2, x2) pixels of the image.
        height: of the image.
        width: of the image.

    Returns:
        The integer box (y1, x1, y2, x2) around `box`, inside the image, and the bool mask of
        that size. The box may be empty.
    """
    y1, x1 = np.floor(box[:2] + 1e-6).astype(int)
    y2, x2 = np.ceil(box[2:] - 1e-6).astype(int)
    y1, x1 = min(max(y1, 0), height), min(max(x1, 0), width)
    y2, x2 = min(max(y2, y1), height), min(max(x2, x1), width)
    rows = _weights(y1, y2, box[0], box[2], mask.shape[0])
    columns = _weights(x1, x2, box[1], box[3], mask.shape[1])
    return (y1, x1, y2, x2), rows @ mask @ columns.T >= 0.5


def minimize_mask(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A mask inside its box, bool [h, w], at the size of a mini-mask (minimize_mask)."""
    rows = _resampled(mask.astype(np.float64), shape[0])
    small = _resampled(rows.T, shape[1]).T
    # The reference's resize stays in the range of its input: a full mask keeps its corners.
    full = mask.size > 0 and mask.all()
    return np.around(small).astype(bool) | full


def _resampled(array, count):
    """Linear interpolation of [cells, ...] at the centres of `count` equal parts; 0 outside."""
    cells = len(array)
    position = (np.arange(count) + 0.5) * (cells / count) - 0.5
    low = np.floor(position).astype(int)
    result = np.zeros((count, *array.shape[1:]))
    for index in (low, low + 1):
        inside = (index >= 0) & (index < cells)
        weight = (1.0 - np.abs(position - index)) * inside
        result += weight[:, None] * array[np.clip(index, 0, cells - 1)]
    return result


def _weights(first, last, start, end, cells):
    """Interpolation matrix [last - first, cells] of pixel centres in start..end."""
    position = (np.arange(first, last) + 0.5 - start) * (cells / max(end - start, 1e-9)) - 0.5
    return np.maximum(0.0, 1.0 - np.abs(position[:, None] - np.arange(cells)[None]))
