"""Compiled functions: how often they are compiled, and that it does not change what they give."""

import logging

import keras
import numpy as np
import pytest
from keras import ops

from mrcnn_al.ops import backend

pytestmark = pytest.mark.every_backend

SHAPES = ((2, 5, 3), (4, 5, 3), (2, 6, 3), (1, 1, 3), (0, 5, 3))


class Counted:
    """A layer and a function of it that knows how often Python ran it."""

    def __init__(self, fixed_shapes):
        self.layer, self.runs = keras.layers.Dense(2), 0
        self.layer.build((None, 3))
        self.compiled = backend.compiled(self.step, self.layer, fixed_shapes)

    def step(self, inputs, rows):
        self.runs += 1
        rows = ops.convert_to_tensor(rows)
        return self.layer(inputs["x"]) * rows[:, None, None], [ops.sum(inputs["x"])]

    def __call__(self, shape):
        x = np.random.default_rng(0).random(shape, np.float32)
        rows = np.arange(shape[0], dtype=np.float32)
        values, (total,) = self.compiled({"x": x}, rows)
        kernel, bias = (ops.convert_to_numpy(v) for v in self.layer.variables)
        np.testing.assert_allclose(
            ops.convert_to_numpy(values),
            (x @ kernel + bias) * rows[:, None, None],
            rtol=1e-5,
            atol=1e-6,
        )
        np.testing.assert_allclose(ops.convert_to_numpy(total), x.sum(), rtol=1e-5)


@pytest.mark.skipif(backend.NAME != "tensorflow", reason="only TensorFlow compiles for any shape")
def test_any_shape_is_compiled_once():
    function = Counted(fixed_shapes=False)
    for shape in SHAPES:
        function(shape)
    assert function.runs == 1


@pytest.mark.parametrize("fixed_shapes", [True, False])
def test_the_same_shape_and_other_weights(fixed_shapes):
    function = Counted(fixed_shapes)
    for shape in SHAPES:
        function(shape)
    runs = function.runs
    if backend.NAME != "torch":
        assert runs <= len(SHAPES)
    for variable in function.layer.variables:
        variable.assign(np.random.default_rng(1).random(variable.shape, np.float32))
    for shape in SHAPES:
        function(shape)
    if backend.NAME != "torch":
        assert function.runs == runs


@pytest.mark.skipif(backend.NAME != "tensorflow", reason="only TensorFlow warns")
def test_many_shapes_are_no_reason_to_warn(caplog):
    """With a function of its own, as TensorFlow warns of each but twice."""
    function = backend.compiled(lambda x: x + 1, Counted(fixed_shapes=True).layer)
    logger = logging.getLogger("tensorflow")
    logger.addHandler(caplog.handler)
    try:
        for rows in range(1, 12):
            function(np.zeros(rows, np.float32))
    finally:
        logger.removeHandler(caplog.handler)
    assert "retracing" not in caplog.text
