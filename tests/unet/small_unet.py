"""A whole U-Net of two levels, compiled in a moment."""

import keras

from mrcnn_al.config import UNetConfig
from mrcnn_al.unet.network import UNet

SMALL = {"num_classes": 3, "filters": 6, "depth": 2, "image_min_dim": 64, "image_max_dim": 64}


def make_unet(seed=0, **changes) -> UNet:
    """The same model at every call with the same arguments."""
    keras.utils.set_random_seed(seed)
    return UNet(UNetConfig.preset("cpu", **{**SMALL, **changes}))
