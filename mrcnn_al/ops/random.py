"""Random numbers from integer keys: the same on every backend, in every batch.

Keras's own generators give other numbers on each backend and depend on what was drawn before.
A committee of stochastic passes must be repeatable image by image, so each number here is a
hash of who asks for it. All arithmetic is int32 that wraps around.
"""

import zlib

from keras import ops

from mrcnn_al.ops import backend


def mix(key):
    """A bijective hash of int32 tensors (the finaliser `lowbias32`, C. Wellons 2018)."""
    key = ops.bitwise_xor(key, _shift(key, 16))
    key = key * 0x7FEB352D
    key = ops.bitwise_xor(key, _shift(key, 15))
    key = key * (0x846CA68B - (1 << 32))
    return ops.bitwise_xor(key, _shift(key, 16))


def combine(key, other):
    """One key from two, broadcast."""
    return mix(mix(key) + other)


def salt(name: str) -> int:
    """A key, as a Python int in int32's range, from a name."""
    value = zlib.crc32(name.encode())
    return value - (1 << 32) if value >= 1 << 31 else value


def uniform(keys):
    """Numbers in [0, 1), float32, one for each int32 key; 24 bits of each."""
    return ops.cast(_shift(mix(keys), 8), "float32") * (2.0**-24)


def keep_mask(keys, features: int, rate: float):
    """Which features of each row survive dropout.

    Four decisions are drawn from each hash, so a rate is rounded to a multiple of 1/256.

    Args:
        keys: int32 [rows].
        features: number of columns.
        rate: chance to be dropped, below 1.

    Returns:
        bool [rows, features], and the share that survives on average.
    """
    dropped = round(rate * 256)
    words = -(-features // 4)
    word_keys = mix(keys)[:, None] + (ops.arange(words, dtype="int32") * 0x3C6EF35F)[None, :]
    draws = ops.reshape(backend.bytes_of(mix(word_keys)), (-1, words * 4))[:, :features]
    return draws >= ops.cast(dropped, draws.dtype), 1 - dropped / 256


def _shift(key, bits: int):
    return ops.bitwise_and(ops.right_shift(key, bits), (1 << (32 - bits)) - 1)
