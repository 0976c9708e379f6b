"""Settings of the U-Net.

What goes into it, how images are scaled, and how instances are read from its output. Fields that
ModelConfig has, too, mean the same here.
"""

from dataclasses import dataclass
from typing import ClassVar

from mrcnn_al.config.section import Section
from mrcnn_al.config.sides import check_sides
from mrcnn_al.errors import UserError

_NUCLEUS = {
    "num_classes": 2,
    "image_min_dim": 512,
    "image_max_dim": 512,
    "image_min_scale": 2.0,
    "mean_pixel": (43.53, 39.56, 48.22),
}


@dataclass(frozen=True)
class UNetConfig(Section):
    """The second learner: semantic segmentation, and instances out of it by watershed.

    Attributes:
        num_classes: background included; filled in from the image set.
        filters: of the convolutions at full resolution; each level down has twice as many.
        depth: how often the resolution is halved.
        normalization: after each convolution; `group` and `none` do not depend on the size of
            the batches.
        dropout_rate: of the Monte-Carlo dropout in the bottleneck and in the decoder.
        precision: as of ModelConfig.
        contours: a further output tells the outline of each object, which parts objects that
            touch (DCAN, Chen et al. 2016, arXiv 1604.02677).
        cross_entropy_loss_weight: of the pixels' cross-entropy.
        dice_loss_weight: of one minus the Dice coefficient of the classes.
        contour_loss_weight: of the outlines' cross-entropy.
        least_area: what is smaller is no instance; pixels of the image.
        least_distance: between the centres of two instances that touch; pixels of the image.
        detection_min_confidence: instances below it are left out of detections.
        detection_max_instances: the most that count in an image when COCO mAP is measured.
    """

    num_classes: int = 1
    filters: int = 64
    depth: int = 4
    normalization: str = "group"
    dropout_rate: float = 0.5
    precision: str = "float32"
    contours: bool = True
    cross_entropy_loss_weight: float = 1.0
    dice_loss_weight: float = 1.0
    contour_loss_weight: float = 1.0
    least_area: int = 10
    least_distance: int = 5
    image_resize_mode: str = "crop"
    image_resize_mode_inference: str = "pad64"
    image_min_dim: int = 512
    image_max_dim: int = 512
    image_min_scale: float = 0.0
    mean_pixel: tuple[float, float, float] = (123.7, 116.8, 103.9)
    pixel_scale: float = 1 / 64
    reference_resampling: bool = False
    detection_min_confidence: float = 0.0
    detection_max_instances: int = 400

    presets: ClassVar = {
        "matterport": {},
        "nucleus": _NUCLEUS,
        "thesis": _NUCLEUS,
        "cpu": {"num_classes": 2, "filters": 16, "image_min_dim": 256, "image_max_dim": 256},
    }
    choices: ClassVar = {
        "normalization": ("group", "batch", "none"),
        "precision": ("float32", "bfloat16", "float16"),
        "image_resize_mode": ("none", "square", "pad64", "crop"),
        "image_resize_mode_inference": ("none", "square", "pad64"),
    }
    bounds: ClassVar = {
        "num_classes": (1, 10000),
        "filters": (1, 4096),
        "depth": (1, 6),
        "dropout_rate": (0.0, 0.95),
        "cross_entropy_loss_weight": (0.0, 1e6),
        "dice_loss_weight": (0.0, 1e6),
        "contour_loss_weight": (0.0, 1e6),
        "least_area": (1, 1_000_000),
        "least_distance": (1, 10_000),
        "image_min_dim": (1, 65536),
        "image_max_dim": (1, 65536),
        "image_min_scale": (0.0, 1000.0),
        "pixel_scale": (1e-6, 1e6),
        "detection_min_confidence": (0.0, 1.0),
        "detection_max_instances": (1, 1_000_000),
    }

    def __post_init__(self):
        super().__post_init__()
        if self.cross_entropy_loss_weight == self.dice_loss_weight == 0:
            raise UserError("cross_entropy_loss_weight and dice_loss_weight cannot both be 0.")
        check_sides(self)
