"""A block computes what its layers would one after the other."""

import keras
import numpy as np
import pytest
from gradients import differentiate
from keras import layers, ops

from mrcnn_al.mask_rcnn.block import Block
from mrcnn_al.mask_rcnn.heads import MaskHead
from mrcnn_al.mask_rcnn.normalization import normalization_layer
from mrcnn_al.mask_rcnn.precision import layers_in

CONVOLUTIONS = {
    "biased": lambda: layers.Conv2D(6, 3, padding="same"),
    "strided": lambda: layers.Conv2D(6, 3, strides=2),
    "without bias": lambda: layers.Conv2D(6, 1, use_bias=False),
    "depthwise": lambda: layers.DepthwiseConv2D(3, 2, padding="same", use_bias=False),
    "one channel": lambda: layers.Conv2D(1, 3, padding="same"),
}


def image(channels=4):
    return np.random.default_rng(1).normal(0, 1, (2, 9, 8, channels)).astype(np.float32)


def make_block(convolution, kind):
    x = image()
    channels = convolution.compute_output_shape(x.shape)[-1]
    norm = normalization_layer(kind, "norm", channels)
    block = Block(convolution, norm, ops.relu)
    block.build(x.shape)
    rng = np.random.default_rng(2)
    for variable in block.variables:
        low = 0.5 if variable.name in ("gamma", "moving_variance") else -1.0
        variable.assign(rng.uniform(low, 2.0, variable.shape).astype(np.float32))
    return block


def one_after_the_other(block, x, training=False):
    return ops.relu(block.normalization(block.convolution(x), training=training))


def arrays(values):
    return [ops.convert_to_numpy(value) for value in values]


@pytest.mark.parametrize("kind", ["frozen_batch", "batch", "group"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_block_is_its_layers(name, kind):
    block = make_block(CONVOLUTIONS[name](), kind)
    found, expected = arrays([block(image()), one_after_the_other(block, image())])
    assert found.shape == block.compute_output_shape(image().shape)
    assert (expected > 0).any()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["biased", "depthwise"])
def test_its_gradients_are_theirs(name):
    block = make_block(CONVOLUTIONS[name](), "frozen_batch")
    variables = block.trainable_variables
    shape = block.compute_output_shape(image().shape)
    weight = np.random.default_rng(3).normal(0, 1, shape).astype(np.float32)
    weight = ops.convert_to_tensor(weight)
    gradients = []
    for function in (lambda: block(image()), lambda: one_after_the_other(block, image())):
        total = lambda function=function: (ops.sum(function() * weight), {})
        gradients.append(differentiate(total, variables)[1])
    assert len(gradients[0]) == (4 if name == "biased" else 3)
    for found, expected in zip(*gradients, strict=True):
        assert np.abs(expected).max() > 0
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_batch_statistics_are_taken_in_training():
    block = make_block(CONVOLUTIONS["biased"](), "batch")
    before = ops.convert_to_numpy(block.normalization.moving_mean).copy()
    found = ops.convert_to_numpy(block(image(), training=True))
    assert np.abs(ops.convert_to_numpy(block.normalization.moving_mean) - before).max() > 1e-4
    expected = ops.convert_to_numpy(one_after_the_other(block, image(), training=True))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_product_is_taken_in_float32():
    """A kernel that is rounded before it is scaled would be rounded twice."""
    with layers_in("bfloat16"):
        block = make_block(CONVOLUTIONS["biased"](), "frozen_batch")
        symbolic = block(keras.Input((9, 8, 4)))
    found = block(image())
    for output in (found, symbolic):
        assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    # Weights whose product has few digits, though they themselves have many.
    third = np.float32(1 / 3)
    block.convolution.kernel.assign(np.full(block.convolution.kernel.shape, 3.0, np.float32))
    variance = np.full(6, 1 - block.normalization.epsilon, np.float32)
    for name, value in (("gamma", third), ("beta", 0.0), ("moving_mean", 0.0)):
        getattr(block.normalization, name).assign(np.full(6, value, np.float32))
    block.normalization.moving_variance.assign(variance)
    block.convolution.bias.assign(np.zeros(6, np.float32))
    ones = ops.convert_to_numpy(ops.cast(block(np.ones((1, 5, 5, 4), np.float32)), "float32"))
    assert (ones[0, 2, 2] == 36.0).all()


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_gradients_of_a_depthwise_convolution_in_half_precision(size, stride):
    def make():
        return Block(layers.DepthwiseConv2D(size, stride, padding="same", use_bias=False))

    with layers_in("bfloat16"):
        half = make()
    whole = make()
    rng = np.random.default_rng(4)
    # Numbers that bfloat16 can hold, so that only the sums are rounded.
    pixels, kernel = (
        rng.integers(-8, 9, shape).astype(np.float32) / 8
        for shape in ((2, 9, 8, 4), (size, size, 4, 1))
    )
    shape = whole.compute_output_shape(pixels.shape)
    factor = ops.convert_to_tensor(rng.integers(-4, 5, shape).astype(np.float32))
    found = []
    for block in (half, whole):
        block.build(pixels.shape)
        block.convolution.kernel.assign(kernel)
        x = keras.Variable(pixels)
        total = lambda block=block, x=x: (ops.sum(ops.cast(block(x.value), "float32") * factor), {})
        found.append(differentiate(total, [x, block.convolution.kernel])[1])
    for ours, expected in zip(*found, strict=True):
        assert np.abs(expected).max() > 1
        np.testing.assert_allclose(ours, expected, rtol=2**-7, atol=2**-7)


def make_mask_head():
    head = MaskHead(3, 4, 5, 6, 1, "none", 0.0)
    rng = np.random.default_rng(0)
    for variable in head.variables:
        variable.assign(rng.normal(0, 0.5, variable.shape).astype(np.float32))
    return head, rng.normal(0, 1, (7, 4, 4, 5)).astype(np.float32)


def test_the_mask_head_ends_in_a_transposed_convolution():
    head, pooled = make_mask_head()
    found = ops.convert_to_numpy(head(pooled))
    x = ops.relu(head.deconvolution(head.blocks[0](pooled)))
    expected = ops.convert_to_numpy(head.masks(x))
    assert found.shape == (7, 8, 8, 3)
    assert np.ptp(expected) > 0.3
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_mask_head_gives_one_class_of_each_roi():
    head, pooled = make_mask_head()
    class_ids = np.array([2, 0, 1, 1, 2, 0, 2], np.int32)
    weight = np.random.default_rng(1).normal(0, 1, (7, 8, 8)).astype(np.float32)
    class_ids, weight = (ops.convert_to_tensor(array) for array in (class_ids, weight))

    def one_class():
        masks = head(pooled, class_ids=class_ids)
        return ops.sum(masks * weight), {"masks": masks}

    def all_classes():
        masks = ops.take_along_axis(head(pooled), class_ids[:, None, None, None], axis=-1)[..., 0]
        return ops.sum(masks * weight), {"masks": masks}

    variables = head.trainable_variables
    (ours, gradients), (theirs, expected) = (
        differentiate(function, variables) for function in (one_class, all_classes)
    )
    assert ours["masks"].shape == (7, 8, 8)
    np.testing.assert_allclose(ours["masks"], theirs["masks"], rtol=1e-5, atol=1e-6)
    for found, wanted in zip(gradients, expected, strict=True):
        assert np.abs(wanted).max() > 0
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_one_class_has_all_digits_in_half_precision():
    with layers_in("bfloat16"):
        head = MaskHead(3, 4, 5, 6, 1, "none", 0.0)
    pooled = np.random.default_rng(0).normal(0, 1, (7, 4, 4, 5)).astype(np.float32)
    masks = ops.convert_to_numpy(head(pooled, class_ids=np.ones(7, np.int32)))
    expected = ops.convert_to_numpy(head(pooled))[..., 1]
    np.testing.assert_allclose(masks, expected, rtol=1e-5)
