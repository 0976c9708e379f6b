"""Group normalisation is that of Keras."""

import keras
import numpy as np
import pytest
from gradients import differentiate
from keras import ops

from mrcnn_al.mask_rcnn.normalization import GroupNormalization, normalization_layer
from mrcnn_al.mask_rcnn.precision import layers_in

SHAPE = (3, 5, 7, 12)


def layers_of(groups):
    kinds = (GroupNormalization, keras.layers.GroupNormalization)
    ours, theirs = (kind(groups=groups, epsilon=1e-5) for kind in kinds)
    rng = np.random.default_rng(0)
    weights = [rng.uniform(0.5, 2, SHAPE[-1:]), rng.normal(0, 1, SHAPE[-1:])]
    for layer in (ours, theirs):
        layer.build(SHAPE)
        layer.set_weights(weights)
    return ours, theirs


def images(mean=0.0):
    return np.random.default_rng(1).normal(mean, 1.5, SHAPE).astype(np.float32)


@pytest.mark.parametrize("groups", [1, 4, 12])
@pytest.mark.parametrize(("mean", "error"), [(0.0, 1e-5), (30.0, 1e-3)])
def test_values_are_those_of_keras(groups, mean, error):
    ours, theirs = (ops.convert_to_numpy(layer(images(mean))) for layer in layers_of(groups))
    assert np.ptp(theirs) > 2
    np.testing.assert_allclose(ours, theirs, atol=error)


def test_gradients_are_those_of_keras():
    weight = np.random.default_rng(2).normal(0, 1, SHAPE).astype(np.float32)
    weight, found = ops.convert_to_tensor(weight), []
    for layer in layers_of(4):
        x = keras.Variable(images())
        total = lambda layer=layer, x=x: (ops.sum(layer(x.value) * weight), {})
        found.append(differentiate(total, [x, *layer.trainable_variables])[1])
    for ours, theirs in zip(*found, strict=True):
        assert np.abs(theirs).max() > 0.1
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_half_precision_rounds_the_result_alone():
    with layers_in("bfloat16"):
        half, _ = layers_of(4)
    whole, _ = layers_of(4)
    x = ops.cast(images(), "bfloat16")
    ours, expected = half(x), whole(ops.cast(x, "float32"))
    assert half.compute_output_spec(keras.KerasTensor(SHAPE, "bfloat16")).dtype == "bfloat16"
    assert keras.backend.standardize_dtype(ours.dtype) == "bfloat16"
    rounded = ops.convert_to_numpy(ops.cast(ops.cast(expected, "bfloat16"), "float32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.cast(ours, "float32")), rounded)


def test_a_constant_image_is_normalised_to_the_shift():
    ours, _ = layers_of(4)
    found = ops.convert_to_numpy(ours(np.full(SHAPE, 100.0, np.float32)))
    beta = ops.convert_to_numpy(ours.beta)
    np.testing.assert_allclose(found, np.broadcast_to(beta, SHAPE), atol=0.3)


def test_the_networks_have_this_one():
    assert type(normalization_layer("group", "norm", 64)) is GroupNormalization
