"""Names and shapes of all weights of a network, without building it.

The reference's names (Matterport's `mrcnn/model.py`); those of EfficientNet-Lite0 are ours.
"""

import string
from collections.abc import Iterator

from mrcnn_al.config import ModelConfig

# For each layer its (weight, shape) pairs, in the order of files.
Shapes = dict[str, list[tuple[str, tuple[int, ...]]]]

# The layers whose shapes depend on the number of classes.
CLASS_LAYERS = ("mrcnn_class_logits", "mrcnn_bbox_fc", "mrcnn_mask")
RESNET_STAGE_4_BLOCKS = {"resnet50": 6, "resnet101": 23}
# Stage, kernel, expansion, input and output channels, repeats.
_LITE_BLOCKS = (
    *((1, 3, 1, 32, 16, 1), (2, 3, 6, 16, 24, 2), (3, 5, 6, 24, 40, 2), (4, 3, 6, 40, 80, 3)),
    *((4, 5, 6, 80, 112, 3), (5, 5, 6, 112, 192, 4), (5, 3, 6, 192, 320, 1)),
)


def model_layout(config: ModelConfig) -> Shapes:
    """The layers of a whole network, in the order of the reference's inference-mode files."""
    layers = backbone_layout(config.backbone, config.normalization)
    channels = (24, 40, 112, 320) if config.backbone == "efficientnet_lite0" else None
    layers.update(_pyramid(config, channels or (256, 512, 1024, 2048)))
    layers.update(_heads(config))
    return layers


def backbone_layout(backbone: str, normalization: str = "frozen_batch") -> Shapes:
    """The layers of a backbone alone."""
    if backbone == "efficientnet_lite0":
        return dict(_lite(normalization))
    return dict(_resnet(RESNET_STAGE_4_BLOCKS[backbone], normalization))


def _resnet(stage_4_blocks, kind) -> Iterator:
    yield _convolution("conv1", 7, 3, 64)
    yield from _normalization("bn_conv1", kind, 64)
    channels = 64
    for stage, filters, blocks in ((2, 64, 3), (3, 128, 4), (4, 256, stage_4_blocks), (5, 512, 3)):
        for block in string.ascii_lowercase[:blocks]:
            name, bn = f"res{stage}{block}_branch", f"bn{stage}{block}_branch"
            yield _convolution(f"{name}2a", 1, channels, filters)
            yield from _normalization(f"{bn}2a", kind, filters)
            yield _convolution(f"{name}2b", 3, filters, filters)
            yield from _normalization(f"{bn}2b", kind, filters)
            yield _convolution(f"{name}2c", 1, filters, 4 * filters)
            if block == "a":
                yield _convolution(f"{name}1", 1, channels, 4 * filters)
            yield from _normalization(f"{bn}2c", kind, 4 * filters)
            if block == "a":
                yield from _normalization(f"{bn}1", kind, 4 * filters)
            channels = 4 * filters


def _lite(kind) -> Iterator:
    yield _convolution("lite1_stem_conv", 3, 3, 32, bias=False)
    yield from _normalization("lite1_stem_bn", kind, 32)
    block = 0
    for stage, kernel, expansion, first, filters, repeats in _LITE_BLOCKS:
        for repeat in range(repeats):
            channels = filters if repeat else first
            name, wide = f"lite{stage}_{block}", expansion * channels
            if expansion > 1:
                yield _convolution(f"{name}_expand_conv", 1, channels, wide, bias=False)
                yield from _normalization(f"{name}_expand_bn", kind, wide)
            yield f"{name}_depthwise_conv", [("kernel", (kernel, kernel, wide, 1))]
            yield from _normalization(f"{name}_depthwise_bn", kind, wide)
            yield _convolution(f"{name}_project_conv", 1, wide, filters, bias=False)
            yield from _normalization(f"{name}_project_bn", kind, filters)
            block += 1


def _pyramid(config, channels) -> Iterator:
    size, kind = config.top_down_pyramid_size, config.pyramid_normalization
    for level in (5, 4, 3, 2):
        name = f"fpn_c{level}p{level}"
        yield _convolution(name, 1, channels[level - 2], size)
        yield from _normalization(f"{name}_bn", kind, size)
    for level in (5, 2, 3, 4):
        yield _convolution(f"fpn_p{level}", 3, size, size)
        yield from _normalization(f"fpn_p{level}_bn", kind, size)


def _heads(config) -> Iterator:
    size, classes = config.top_down_pyramid_size, config.num_classes
    kind = config.head_normalization
    shared, ratios = config.rpn_channels, len(config.rpn_anchor_ratios)
    yield _convolution("rpn_conv_shared", 3, size, shared)
    yield _convolution("rpn_class_raw", 1, shared, 2 * ratios)
    yield _convolution("rpn_bbox_pred", 1, shared, 4 * ratios)
    units = config.fpn_classif_fc_layers_size
    yield _convolution("mrcnn_class_conv1", config.pool_size, size, units)
    yield from _normalization("mrcnn_class_bn1", kind, units)
    yield _convolution("mrcnn_class_conv2", 1, units, units)
    yield from _normalization("mrcnn_class_bn2", kind, units)
    for name, width in (("mrcnn_class_logits", classes), ("mrcnn_bbox_fc", 4 * classes)):
        yield name, [("kernel", (units, width)), ("bias", (width,))]
    filters = config.mask_head_channels
    for index in range(1, config.mask_head_convolutions + 1):
        yield _convolution(f"mrcnn_mask_conv{index}", 3, size if index == 1 else filters, filters)
        yield from _normalization(f"mrcnn_mask_bn{index}", kind, filters)
    yield _convolution("mrcnn_mask_deconv", 2, filters, filters)
    yield _convolution("mrcnn_mask", 1, filters, classes)


def _convolution(name, size, channels, filters, bias=True):
    weights = [("kernel", (size, size, channels, filters))]
    return name, [*weights, ("bias", (filters,))] if bias else weights


def _normalization(name, kind, channels) -> Iterator:
    if kind == "none":
        return
    weights = ["gamma", "beta"]
    if kind != "group":
        weights += ["moving_mean", "moving_variance"]
    yield name, [(weight, (channels,)) for weight in weights]
