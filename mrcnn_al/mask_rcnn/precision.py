"""Which floating-point numbers a network computes with."""

import contextlib
from collections.abc import Iterator

import keras

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


class LayerPrecision(keras.DTypePolicy):
    """What all layers of one network compute with, for a while something else.

    Weights are float32 always.

    Args:
        precision: float32, bfloat16 or float16.
    """

    def __init__(self, precision: str):
        super().__init__(POLICIES[precision])
        self._for_a_while = None

    @property
    def compute_dtype(self) -> str:
        """The dtype of a layer's output."""
        return self._for_a_while or super().compute_dtype

    @contextlib.contextmanager
    def changed_to(self, precision: str) -> Iterator[None]:
        """Layers that are called, or traced, within the block compute in `precision`."""
        before, self._for_a_while = self._for_a_while, precision
        try:
            yield
        finally:
            self._for_a_while = before


@contextlib.contextmanager
def layers_in(precision: str) -> Iterator[LayerPrecision]:
    """Layers that are made within the block compute in `precision`; weights stay float32.

    Args:
        precision: float32, bfloat16 or float16.

    Yields:
        The policy that all of them share.
    """
    before, policy = keras.config.dtype_policy(), LayerPrecision(precision)
    keras.config.set_dtype_policy(policy)
    try:
        yield policy
    finally:
        keras.config.set_dtype_policy(before)
