"""A convolution and what follows it, as the few operations that kernels exist for."""

import math

import keras
from keras import layers, ops

from mrcnn_al.mask_rcnn.normalization import FrozenBatchNormalization, normalization_layer
from mrcnn_al.ops.convolution import add_bias, depthwise_conv


@keras.saving.register_keras_serializable("mrcnn_al")
class Block(layers.Layer):
    """Convolution, normalisation, activation; the layers keep their own names.

    Normalisation by given statistics is linear, and so is a convolution: their product is a
    convolution. It is multiplied out at every call, from the weights as they are, in training
    too, where the gradient of gamma then needs no pass over an activation.

    Args:
        convolution: a Conv2D or DepthwiseConv2D of depth multiplier 1, without activation.
        normalization: a layer, or None.
        activation: a function, or None.
    """

    def __init__(self, convolution, normalization=None, activation=None, **kwargs):
        # The product is taken in float32; `convolution` says what to compute with.
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self.convolution = convolution
        self.normalization = normalization
        self.activation = activation

    def build(self, input_shape):
        """Makes the weights of both layers."""
        self.convolution.build(input_shape)
        if self.normalization is not None:
            self.normalization.build(self.convolution.compute_output_shape(input_shape))
        self.built = True

    def compute_output_shape(self, input_shape):
        """That of the convolution."""
        return self.convolution.compute_output_shape(input_shape)

    def compute_output_spec(self, x, training=False):
        """That of the convolution."""
        shape = self.compute_output_shape(x.shape)
        return keras.KerasTensor(shape, dtype=self.convolution.compute_dtype)

    def call(self, x, training=False):
        """[B, H, W, C] to [B, H', W', C'] in the dtype of the convolution."""
        convolution, normalization = self.convolution, self.normalization
        dtype = convolution.compute_dtype
        kernel = ops.convert_to_tensor(convolution.kernel)
        bias = ops.convert_to_tensor(convolution.bias) if convolution.use_bias else None
        if _is_linear(normalization, training):
            kernel, bias = _multiplied_out(kernel, bias, normalization)
            normalization = None
        x, kernel = ops.cast(x, dtype), ops.cast(kernel, dtype)
        # Where one output sees the whole input there are faster kernels than those of convolution.
        whole = self._is_whole(x.shape)
        if whole:
            x = ops.reshape(x, (-1, math.prod(x.shape[1:])))
            x = ops.matmul(x, ops.reshape(kernel, (x.shape[1], -1)))
        else:
            x = self._convolve(x, kernel)
        if bias is not None:
            x = add_bias(x, ops.cast(bias, dtype))
        if whole:
            x = ops.reshape(x, (-1, 1, 1, x.shape[1]))
        if normalization is not None:
            x = normalization(x, training=training)
        return x if self.activation is None else self.activation(x)

    def _is_whole(self, shape):
        layer = self.convolution
        fits = layer.padding == "valid" and tuple(shape[1:3]) == layer.kernel_size
        return fits and not isinstance(layer, layers.DepthwiseConv2D)

    def _convolve(self, x, kernel):
        layer = self.convolution
        depthwise = isinstance(layer, layers.DepthwiseConv2D)
        function = depthwise_conv if depthwise else ops.conv
        return function(x, kernel, layer.strides, layer.padding)


def convolve(x, convolution, normalization: str = "none", name: str = "", activation=None):
    """Adds a block to a functional graph.

    Args:
        x: symbolic tensor [B, H, W, C].
        convolution: a layer without activation.
        normalization: kind, see `normalization_layer`, or `none`.
        name: of the layer of normalisation.
        activation: a function, or None.
    """
    norm = None
    if normalization != "none":
        channels = convolution.compute_output_shape(x.shape)[-1]
        norm = normalization_layer(normalization, name, channels)
    return Block(convolution, norm, activation, name=f"{convolution.name}_block")(x)


def _is_linear(normalization, training):
    if not isinstance(normalization, layers.BatchNormalization):
        return False
    return isinstance(normalization, FrozenBatchNormalization) or not training


def _multiplied_out(kernel, bias, normalization):
    """Kernel and bias of a convolution and a normalisation after it."""
    mean, variance, gamma, beta = (
        ops.convert_to_tensor(getattr(normalization, name))
        for name in ("moving_mean", "moving_variance", "gamma", "beta")
    )
    scale = gamma * ops.rsqrt(variance + normalization.epsilon)
    shift = -mean if bias is None else bias - mean
    # A depthwise kernel [h, w, C, 1] has its channels one axis earlier.
    factor = scale if kernel.shape[-1] == scale.shape[0] else scale[:, None]
    return kernel * factor, beta + shift * scale
