"""Gradients on every backend."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops


def differentiate(loss: Callable, variables: Sequence) -> tuple[dict, list[np.ndarray | None]]:
    """A scalar's gradients by Keras variables.

    Args:
        loss: returns (scalar tensor, dictionary of other tensors).
        variables: what to differentiate by.

    Returns:
        The dictionary as NumPy arrays, and a gradient for each variable; None, or zeros on JAX,
        where the scalar does not depend on it.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch([v.value for v in variables])
            total, others = loss()
        found = tape.gradient(total, [v.value for v in variables])
    elif backend == "jax":
        import jax

        def stateless(values):
            with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
                return loss()

        # One program: compiling each operation for itself takes several times as long.
        found, others = jax.jit(jax.grad(stateless, has_aux=True))([v.value for v in variables])
    else:
        import torch

        total, others = loss()
        found = torch.autograd.grad(total, [v.value for v in variables], allow_unused=True)
    others = {name: ops.convert_to_numpy(value) for name, value in others.items()}
    return others, [None if g is None else ops.convert_to_numpy(g) for g in found]
