"""EfficientNet-Lite0: inverted residuals without squeeze-and-excite, ReLU6, fast on CPUs."""

import keras
from keras import layers, ops

from mrcnn_al.mask_rcnn.block import convolve

# Kernel, stride, expansion, filters, repeats (Tan and Le 2019, table 1; the Lite variant keeps
# the widths of B0).
_BLOCKS = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def efficientnet_lite0(normalization: str = "frozen_batch") -> keras.Model:
    """Images [B, H, W, 3], scaled as (RGB - 127) / 128, to (C2, C3, C4, C5).

    C2 to C5 have 24, 40, 112 and 320 channels. Layers are named `lite<stage>_<block>_<part>`,
    where the stage is 1 to 5 by resolution, as in a ResNet, and blocks are numbered from 0
    through the network.

    Args:
        normalization: see `normalize`.
    """
    image = keras.Input((None, None, 3), name="input_image")
    stem = layers.Conv2D(32, 3, 2, padding="same", use_bias=False, name="lite1_stem_conv")
    x = convolve(image, stem, normalization, "lite1_stem_bn", ops.relu6)
    stage, block, outputs = 1, 0, []
    for kernel, stride, expansion, filters, repeats in _BLOCKS:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            if step == 2:
                if stage > 1:
                    outputs.append(x)
                stage += 1
            x = _inverted_residual(
                x, f"lite{stage}_{block}", kernel, step, expansion, filters, normalization
            )
            block += 1
    return keras.Model(image, [*outputs, x], name="efficientnet_lite0")


def layer_stage(layer_name: str) -> int | None:
    """The stage, 1 to 5, of a layer of this backbone; None for other layers."""
    return int(layer_name[4]) if layer_name.startswith("lite") else None


def _inverted_residual(x, name, kernel, stride, expansion, filters, normalization):
    def part(x, kind, layer, activation=None):
        return convolve(x, layer, normalization, f"{name}_{kind}_bn", activation)

    y = x
    if expansion > 1:
        wide = expansion * x.shape[-1]
        layer = layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand_conv")
        y = part(y, "expand", layer, ops.relu6)
    layer = layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )
    y = part(y, "depthwise", layer, ops.relu6)
    layer = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv")
    y = part(y, "project", layer)
    if stride == 1 and x.shape[-1] == filters:
        y = layers.Add()([x, y])
    return y
