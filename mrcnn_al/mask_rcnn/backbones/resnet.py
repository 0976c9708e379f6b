"""ResNet-50 and ResNet-101 as Matterport builds them."""

import string

import keras
from keras import layers, ops

from mrcnn_al.mask_rcnn.block import convolve

_STAGE_4_BLOCKS = {"resnet50": 6, "resnet101": 23}


def resnet(name: str, normalization: str = "frozen_batch") -> keras.Model:
    """Images [B, H, W, 3] to (C2, C3, C4, C5) with 256 to 2048 channels.

    Every convolution has a bias, and the stride of a stage sits on its first 1 x 1
    convolution, as in Matterport's resnet_graph, whose layer names these are.

    Args:
        name: resnet50 or resnet101.
        normalization: see `normalize`.
    """
    image = keras.Input((None, None, 3), name="input_image")
    x = layers.ZeroPadding2D(3)(image)
    stem = layers.Conv2D(64, 7, strides=2, name="conv1")
    x = convolve(x, stem, normalization, "bn_conv1", ops.relu)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    outputs = []
    stages = ((2, 64, 3), (3, 128, 4), (4, 256, _STAGE_4_BLOCKS[name]), (5, 512, 3))
    for stage, filters, blocks in stages:
        for block in range(blocks):
            stride = 2 if block == 0 and stage > 2 else 1
            block_name = f"{stage}{string.ascii_lowercase[block]}"
            x = _bottleneck(x, filters, block_name, stride, block == 0, normalization)
        outputs.append(x)
    return keras.Model(image, outputs, name=name)


def layer_stage(layer_name: str) -> int | None:
    """The stage, 1 to 5, of a layer of this backbone; None for other layers."""
    if layer_name in ("conv1", "bn_conv1"):
        return 1
    for prefix in ("res", "bn"):
        rest = layer_name.removeprefix(prefix)
        if rest != layer_name and rest[:1].isdigit():
            return int(rest[0])
    return None


def _bottleneck(x, filters, name, stride, project, normalization):
    def branch(x, part, size, kernel, activation=None, **options):
        convolution = layers.Conv2D(size, kernel, name=f"res{name}_branch{part}", **options)
        return convolve(x, convolution, normalization, f"bn{name}_branch{part}", activation)

    y = branch(x, "2a", filters, 1, ops.relu, strides=stride)
    y = branch(y, "2b", filters, 3, ops.relu, padding="same")
    y = branch(y, "2c", 4 * filters, 1)
    if project:
        x = branch(x, "1", 4 * filters, 1, strides=stride)
    return layers.ReLU(name=f"res{name}_out")(layers.Add()([y, x]))
