"""One named array of a weights file, read when it is asked for."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Keras 1 put the layer's name, an underscore and one of these into the name of a weight. What
# it called running_std is the variance.
_KERAS_1 = {
    "W": "kernel",
    "b": "bias",
    "gamma": "gamma",
    "beta": "beta",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",
}
_KERAS_1_NAME = re.compile(rf"_({'|'.join(_KERAS_1)})(?:_\d+)?$")


@dataclass(frozen=True)
class Weight:
    """A named array that may still lie in a file.

    Attributes:
        name: as the file has it, such as `conv1/kernel:0`, `conv1_W:0` or `kernel`.
        shape: known without reading.
        read: gives the array, float32 of that shape; raises UserError where it cannot.
    """

    name: str
    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]

    @classmethod
    def of(cls, name: str, array: np.ndarray) -> "Weight":
        """An array at hand under a name."""
        return cls(name, tuple(array.shape), lambda: array)

    @property
    def role(self) -> str:
        """What it is to its layer, in Keras's words: kernel, bias, gamma, moving_mean, ..."""
        leaf = self.name.rsplit("/", 1)[-1].split(":")[0]
        old = _KERAS_1_NAME.search(leaf)
        return _KERAS_1[old[1]] if old else leaf


Layers = dict[str, list[Weight]]


def described(shapes: dict[str, list[tuple[str, tuple[int, ...]]]]) -> Layers:
    """Layers of these names and shapes full of zeros, which take no memory."""
    return {
        layer: [Weight.of(name, np.broadcast_to(np.float32(0), shape)) for name, shape in weights]
        for layer, weights in shapes.items()
    }
