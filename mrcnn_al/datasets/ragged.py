"""Rows of different lengths, one after the other in a flat array."""

import numpy as np

# Rows to gather at a time; the places of their values take as much room as the values.
_BLOCK = 2**15


def offsets(lengths: np.ndarray) -> np.ndarray:
    """Where each of N rows begins and the last one ends: int64 [N + 1]."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def gathered(values: np.ndarray, begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The rows values[begins[i]:begins[i] + lengths[i]], one after the other."""
    bounds = offsets(lengths)
    result = np.empty(bounds[-1], values.dtype)
    for first in range(0, len(lengths), _BLOCK):
        block = slice(first, first + _BLOCK)
        begin, end = bounds[first], bounds[min(first + _BLOCK, len(lengths))]
        shift = np.repeat(begins[block] - bounds[:-1][block], lengths[block])
        result[begin:end] = values[shift + np.arange(begin, end)]
    return result
