"""Training of a U-Net of two levels, for what does not depend on the network.

A third of the time that a Mask R-CNN of small_model takes to compile.
"""

from functools import partial

import keras
import small_model

from mrcnn_al.config import UNetConfig
from mrcnn_al.training.fit import Fitter as AnyFitter
from mrcnn_al.training.pixel_examples import PixelExampleMaker
from mrcnn_al.unet.network import UNet

MODEL = UNetConfig.preset(
    "cpu", num_classes=4, filters=4, depth=2, image_min_dim=64, image_max_dim=64, contours=False
)
Fitter = partial(AnyFitter, make_examples=PixelExampleMaker)


def make_model():
    """The same model at every call."""
    keras.utils.set_random_seed(0)
    return UNet(MODEL)


def fit(training, **options):
    """A training from the start; see small_model."""
    return small_model.fit(training, make_model(), make_examples=PixelExampleMaker, **options)
