"""The two heads of the second stage, with Monte-Carlo dropout after each block.

Matterport runs them inside TimeDistributed; here RoIs are rows of one batch, which is the same
computation. Layer names are Matterport's.
"""

import keras
from keras import layers, ops

from mrcnn_al.mask_rcnn.block import Block
from mrcnn_al.mask_rcnn.dropout import MonteCarloDropout
from mrcnn_al.mask_rcnn.normalization import normalization_layer, output_initializer
from mrcnn_al.ops.convolution import add_bias


class ClassifierHead(keras.layers.Layer):
    """Class and box of each RoI (Matterport's fpn_classifier_graph).

    Args:
        num_classes: background included.
        pool_size: bins along a side of the pooled RoIs.
        channels: of the pooled RoIs.
        units: width of the two hidden layers.
        normalization: kind, see `normalize`.
        dropout_rate: of the Monte-Carlo dropout after each hidden layer.
        output_std: see `output_initializer`.
    """

    def __init__(
        self,
        num_classes,
        pool_size,
        channels,
        units,
        normalization,
        dropout_rate,
        output_std=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.block1 = _block("mrcnn_class", 1, units, pool_size, "valid", normalization)
        self.dropout1 = MonteCarloDropout(dropout_rate, name="mrcnn_class_dropout1")
        self.block2 = _block("mrcnn_class", 2, units, 1, "valid", normalization)
        self.dropout2 = MonteCarloDropout(dropout_rate, name="mrcnn_class_dropout2")
        self.logits = layers.Dense(
            num_classes,
            kernel_initializer=output_initializer(output_std),
            dtype="float32",
            name="mrcnn_class_logits",
        )
        self.deltas = layers.Dense(
            4 * num_classes,
            kernel_initializer=output_initializer(output_std),
            dtype="float32",
            name="mrcnn_bbox_fc",
        )
        self.block1.build((None, pool_size, pool_size, channels))
        self.block2.build((None, 1, 1, units))
        self.logits.build((None, units))
        self.deltas.build((None, units))
        self.built = True

    def before_dropout(self, pooled, training=False):
        """Everything that no dropout touches: [R, P, P, C] to [R, 1, 1, units]."""
        return self.block1(pooled, training=training)

    def after_dropout(self, hidden, keys=None, training=False):
        """The rest: [R, 1, 1, units] to logits [R, classes] and deltas [R, classes, 4].

        `keys`, int32 [R], switches dropout on.
        """
        x = self.dropout1(hidden, keys=keys)
        x = self.block2(x, training=training)
        x = self.dropout2(x, keys=keys)
        x = ops.squeeze(x, axis=(1, 2))
        deltas = self.deltas(x)
        return self.logits(x), ops.reshape(deltas, (-1, self.num_classes, 4))

    def call(self, pooled, keys=None, training=False):
        """[R, P, P, C] to logits [R, classes] and deltas [R, classes, 4]."""
        hidden = self.before_dropout(pooled, training=training)
        return self.after_dropout(hidden, keys=keys, training=training)


class MaskHead(keras.layers.Layer):
    """A mask of each RoI for every class (Matterport's build_fpn_mask_graph).

    Args:
        num_classes: background included.
        pool_size: bins along a side of the pooled RoIs; masks are twice as large.
        channels: of the pooled RoIs.
        filters: of the convolutions.
        convolutions: how many before the transposed one.
        normalization: kind, see `normalize`.
        dropout_rate: of the Monte-Carlo dropout after each convolution.
    """

    def __init__(
        self,
        num_classes,
        pool_size,
        channels,
        filters,
        convolutions,
        normalization,
        dropout_rate,
        **kwargs,
    ):
        # The last layer computes in float32, of one class as of all; the others say for themselves.
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self.blocks = [
            _block("mrcnn_mask", index + 1, filters, 3, "same", normalization)
            for index in range(convolutions)
        ]
        self.dropouts = [
            MonteCarloDropout(dropout_rate, name=f"mrcnn_mask_dropout{index + 1}")
            for index in range(convolutions)
        ]
        self.deconvolution = layers.Conv2DTranspose(filters, 2, strides=2, name="mrcnn_mask_deconv")
        # In half precision a probability above 0.998 is 1, and a mask that is wrong there has no
        # gradient.
        self.masks = layers.Conv2D(
            num_classes, 1, activation="sigmoid", dtype="float32", name="mrcnn_mask"
        )
        for index, block in enumerate(self.blocks):
            block.build((None, pool_size, pool_size, filters if index else channels))
        self.deconvolution.build((None, pool_size, pool_size, filters))
        self.masks.build((None, 2 * pool_size, 2 * pool_size, filters))
        self.built = True

    def call(self, pooled, keys=None, training=False, class_ids=None):
        """Masks of RoIs; `keys` switches dropout on.

        Args:
            pooled: [R, P, P, C].
            keys: int32 [R], see MonteCarloDropout.
            training: whether normalisation learns.
            class_ids: int32 [R]; the one class of each RoI that is asked for, the others are not
                computed then.

        Returns:
            Probabilities [R, 2P, 2P, classes], or [R, 2P, 2P] of `class_ids`.
        """
        x = pooled
        for block, dropout in zip(self.blocks, self.dropouts, strict=True):
            x = dropout(block(x, training=training), keys=keys)
        x = self._upsampled(x)
        masks = self.masks(x) if class_ids is None else self._masks_of(x, class_ids)
        return _in_place(masks, pooled.shape[1])

    def _upsampled(self, x):
        """[R, P, P, F] to [R, P, 4P, F], each cell's 2 x 2 pixels one after the other.

        The transposed convolution makes 2 x 2 pixels of each cell and of nothing else: a 1 x 1
        convolution with four times the filters. Its pixels are put in their places when only
        the classes are left of them.
        """
        layer, side = self.deconvolution, x.shape[1]
        kernel = ops.transpose(ops.cast(layer.kernel, layer.compute_dtype), (3, 0, 1, 2))
        kernel = ops.reshape(kernel, (1, 1, kernel.shape[0], -1))
        bias = ops.tile(ops.cast(layer.bias, layer.compute_dtype), 4)
        x = ops.conv(ops.cast(x, layer.compute_dtype), kernel)
        x = ops.relu(add_bias(x, bias))
        return ops.reshape(x, (-1, side, 4 * side, layer.filters))

    def _masks_of(self, x, class_ids):
        """[R, P, 4P, F] to [R, P, 4P], each row by the weights of its class."""
        kernel = ops.transpose(ops.convert_to_tensor(self.masks.kernel)[0, 0])
        kernel, bias = (ops.take(w, class_ids, axis=0) for w in (kernel, self.masks.bias))
        rows = ops.reshape(ops.cast(x, "float32"), (-1, x.shape[1] * x.shape[2], x.shape[3]))
        logits = ops.matmul(rows, kernel[:, :, None])[..., 0] + bias[:, None]
        return ops.reshape(ops.sigmoid(logits), (-1, *x.shape[1:3]))


def _in_place(pixels, side):
    """[R, P, 4P, ...], each cell's 2 x 2 pixels one after the other, to [R, 2P, 2P, ...]."""
    rest = pixels.shape[3:]
    pixels = ops.reshape(pixels, (-1, side, side, 2, 2, *rest))
    axes = (0, 1, 3, 2, 4, *range(5, 5 + len(rest)))
    return ops.reshape(ops.transpose(pixels, axes), (-1, 2 * side, 2 * side, *rest))


def _block(prefix, index, filters, kernel, padding, normalization):
    convolution = layers.Conv2D(filters, kernel, padding=padding, name=f"{prefix}_conv{index}")
    norm = None
    if normalization != "none":
        norm = normalization_layer(normalization, f"{prefix}_bn{index}", filters)
    return Block(convolution, norm, ops.relu, name=f"{prefix}_block{index}")
