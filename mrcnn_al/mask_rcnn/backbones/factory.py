"""Backbones by name."""

import keras

from mrcnn_al.mask_rcnn.backbones import efficientnet_lite, resnet


def make_backbone(name: str, normalization: str) -> keras.Model:
    """A backbone: images [B, H, W, 3] to (C2, C3, C4, C5)."""
    if name == "efficientnet_lite0":
        return efficientnet_lite.efficientnet_lite0(normalization)
    return resnet.resnet(name, normalization)


def layer_stage(layer_name: str) -> int | None:
    """The stage, 1 to 5, of a backbone's layer; None for layers outside the backbone."""
    stage = efficientnet_lite.layer_stage(layer_name)
    return resnet.layer_stage(layer_name) if stage is None else stage
