"""The parts that a U-Net repeats."""

import keras
from keras import layers, ops

from mrcnn_al.mask_rcnn.block import Block
from mrcnn_al.mask_rcnn.dropout import MonteCarloDropout
from mrcnn_al.mask_rcnn.normalization import normalization_layer


class DoubleConvolution(keras.layers.Layer):
    """Twice a 3 x 3 convolution with normalisation and ReLU.

    Args:
        channels: of the input.
        filters: of both convolutions.
        normalization: `group`, `batch` or `none`.
    """

    def __init__(self, channels: int, filters: int, normalization: str, **kwargs):
        super().__init__(**kwargs)
        self.blocks = []
        for number, inputs in ((1, channels), (2, filters)):
            convolution = layers.Conv2D(
                filters,
                3,
                padding="same",
                kernel_initializer="he_normal",
                name=f"{self.name}_conv{number}",
            )
            convolution.build((None, None, None, inputs))
            norm = None
            if normalization != "none":
                name = f"{self.name}_norm{number}"
                norm = normalization_layer(normalization, name, filters)
                norm.build((None, None, None, filters))
            block = Block(convolution, norm, ops.relu, name=f"{self.name}_block{number}")
            block.built = True
            self.blocks.append(block)
        self.built = True

    def call(self, x, training=False):
        """[B, H, W, channels] to [B, H, W, filters]."""
        for block in self.blocks:
            x = block(x, training=training)
        return x


class UpBlock(keras.layers.Layer):
    """One level up: twice the resolution, what the encoder had there, two convolutions.

    Args:
        channels: of the input.
        filters: of the level.
        normalization: `group`, `batch` or `none`.
        dropout_rate: of the Monte-Carlo dropout after it; 0 for none.
    """

    def __init__(
        self, channels: int, filters: int, normalization: str, dropout_rate: float, **kwargs
    ):
        super().__init__(**kwargs)
        self.enlarge = layers.Conv2DTranspose(
            filters, 2, strides=2, kernel_initializer="he_normal", name=f"{self.name}_upconv"
        )
        self.enlarge.build((None, None, None, channels))
        self.convolutions = DoubleConvolution(2 * filters, filters, normalization, name=self.name)
        self.dropout = MonteCarloDropout(dropout_rate, name=f"{self.name}_dropout")
        self.built = True

    def call(self, x, skip, keys=None, training=False):
        """[B, H, W, channels] and [B, 2H, 2W, filters] to [B, 2H, 2W, filters]."""
        x = ops.concatenate([skip, self.enlarge(x)], axis=-1)
        return self.dropout(self.convolutions(x, training=training), keys=keys)
