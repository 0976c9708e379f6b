"""Which floating-point numbers a network computes with."""

import contextlib
from collections.abc import Iterator

import keras

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@contextlib.contextmanager
def layers_in(precision: str) -> Iterator[None]:
    """Layers that are made within the block compute in `precision`; weights stay float32.

    Args:
        precision: float32, bfloat16 or float16.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
