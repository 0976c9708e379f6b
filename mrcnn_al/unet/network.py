"""The U-Net of Ronneberger et al. 2015 (arXiv 1505.04597)."""

import os
from collections.abc import Mapping, Sequence

import keras
from keras import layers

from mrcnn_al.config import UNetConfig
from mrcnn_al.errors import UserError
from mrcnn_al.mask_rcnn.dropout import MonteCarloDropout
from mrcnn_al.mask_rcnn.loss_model import LossModel
from mrcnn_al.mask_rcnn.precision import layers_in
from mrcnn_al.unet import losses
from mrcnn_al.unet.blocks import DoubleConvolution, UpBlock
from mrcnn_al.unet.inference import UNetInference
from mrcnn_al.weights.h5_file import open_h5, write_h5
from mrcnn_al.weights.layers import assign, weighted_layers
from mrcnn_al.weights.report import WeightsReport


class UNet(LossModel):
    """A class for each pixel, with a committee of stochastic passes.

    It departs from the paper in padded convolutions, so that the output has the size of the
    input; in normalisation; and in the output of the objects' outlines where `contours` is set,
    which does the work of the paper's heavier weights between objects that touch. Dropout
    (`MonteCarloDropout`: off in training and in plain inference, on when sampling) follows the
    bottleneck and every level of the decoder but the last, whose pixels go straight to the
    output. What comes before it is computed once, whatever the number of passes.

    Called on a batch of training inputs (see `call`) it gives the losses, so that Keras's
    `train_on_batch` works after `compile`. Images go through `inference`.

    Args:
        config: of the network; every setting of it is plain data.
    """

    def __init__(self, config: UNetConfig, **kwargs):
        names = ["cross_entropy_loss", "dice_loss", *(["contour_loss"] if config.contours else [])]
        super().__init__(names, config.precision, **kwargs)
        with layers_in(config.precision):
            self._make_layers(config)
        self.built = True
        self.config = config
        self._inference = None

    def _make_layers(self, config):
        kind, rate = config.normalization, config.dropout_rate
        filters = [config.filters * 2**level for level in range(config.depth + 1)]
        self.down = [
            DoubleConvolution(before, after, kind, name=f"unet_down{level + 1}")
            for level, (before, after) in enumerate(
                zip([3, *filters[:-2]], filters[:-1], strict=True)
            )
        ]
        self.shrink = layers.MaxPooling2D(2)
        self.bottom = DoubleConvolution(filters[-2], filters[-1], kind, name="unet_bottom")
        self.dropout = MonteCarloDropout(rate, name="unet_bottom_dropout")
        self.up = [
            UpBlock(
                filters[level + 1],
                filters[level],
                kind,
                rate if level else 0.0,
                name=f"unet_up{level + 1}",
            )
            for level in reversed(range(config.depth))
        ]
        self.classes = layers.Conv2D(config.num_classes, 1, dtype="float32", name="unet_classes")
        self.classes.build((None, None, None, config.filters))
        self.contours = None
        if config.contours:
            self.contours = layers.Conv2D(1, 1, dtype="float32", name="unet_contours")
            self.contours.build((None, None, None, config.filters))

    def encode(self, images, training: bool = False):
        """Molded images [B, H, W, 3] to what dropout does not touch.

        Returns:
            The maps of the levels, full resolution first, and that of the bottleneck.

        Raises:
            UserError: a side is not divisible by 2 ** depth.
        """
        cell = 2**self.config.depth
        if any(extent % cell for extent in images.shape[1:3]):
            raise UserError(
                f"This U-Net takes sides divisible by {cell}, not {tuple(images.shape[1:3])}; "
                "image_resize_mode pad64 or square sees to that."
            )
        x, skips = images, []
        for level in self.down:
            skips.append(level(x, training=training))
            x = self.shrink(skips[-1])
        return skips, self.bottom(x, training=training)

    def decode(self, skips, bottom, keys=None, training: bool = False):
        """What `encode` gave to logits.

        Args:
            skips: maps of the levels.
            bottom: map of the bottleneck.
            keys: int32 [B]; they switch dropout on.
            training: whether normalisation learns.

        Returns:
            Of the classes [B, H, W, classes]; of the contours [B, H, W], or None without.
        """
        x = self.dropout(bottom, keys=keys)
        for level, skip in zip(self.up, reversed(skips), strict=True):
            x = level(x, skip, keys=keys, training=training)
        contours = None if self.contours is None else self.contours(x)[..., 0]
        return self.classes(x), contours

    def call(self, inputs: Mapping, training: bool = False) -> dict:
        """The losses of a batch.

        Args:
            inputs: a dictionary of
                images: molded, float32 [B, H, W, 3];
                class_ids: int32 [B, H, W], 0 for background, IGNORED for what does not count;
                contours: [B, H, W], 1 on the outlines, where the network has them.
            training: whether normalisation learns.

        Returns:
            Scalars by the names of `loss_weights`.
        """
        logits, contours = self.decode(
            *self.encode(inputs["images"], training=training), training=training
        )
        class_ids = inputs["class_ids"]
        found = {
            "cross_entropy_loss": losses.cross_entropy_loss(class_ids, logits),
            "dice_loss": losses.dice_loss(class_ids, logits),
        }
        if contours is not None:
            found["contour_loss"] = losses.contour_loss(class_ids, inputs["contours"], contours)
        return found

    @property
    def inference(self) -> UNetInference:
        """Detection and sampling with this model's weights, compiled on first use."""
        if self._inference is None:
            self._inference = UNetInference(self)
        return self._inference

    def save_weights(self, path: str | os.PathLike) -> None:
        """Writes all weights by layer as h5, atomically."""
        groups = {
            name: [
                (f"{name}/{variable.name}:0", keras.ops.convert_to_numpy(variable))
                for variable in layer.variables
            ]
            for name, layer in weighted_layers(self).items()
        }
        write_h5(path, groups)

    def load_weights(self, path: str | os.PathLike, exclude: Sequence[str] = ()) -> WeightsReport:
        """Loads what `save_weights` wrote, by layer names.

        Args:
            path: the file.
            exclude: names of layers to leave alone; `unet_classes` is the one that depends on
                the number of classes.

        Raises:
            UserError: the file is not readable or does not fit; nothing is changed then.
        """
        if "heads" in exclude:
            raise UserError(
                "A U-Net has no heads to exclude. The layer that depends on the number of classes "
                "is unet_classes: --exclude unet_classes."
            )
        with open_h5(path) as (stored, _):
            return assign(self, stored, str(path), tuple(exclude))
