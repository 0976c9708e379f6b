"""Settings of the network.

Fields that the reference (Matterport's `Config`) has keep its names in lower case. Departures
from what the reference computes are fields of their own, and the preset `matterport` has all of
them off.
"""

from dataclasses import dataclass
from typing import ClassVar

from mrcnn_al.config.section import Section
from mrcnn_al.config.sides import check_sides
from mrcnn_al.errors import UserError

_COUNTS = (
    *("top_down_pyramid_size", "rpn_channels", "fpn_classif_fc_layers_size", "pool_size"),
    *("mask_head_channels", "mask_pool_size", "rpn_anchor_stride", "pre_nms_limit"),
    *("rpn_train_anchors_per_image", "post_nms_rois_training", "post_nms_rois_inference"),
    *("train_rois_per_image", "max_gt_instances", "detection_max_instances"),
)
_ANCHORS_NUCLEUS = (8, 16, 32, 64, 128)
_NUCLEUS = {
    "num_classes": 2,
    "backbone": "resnet50",
    "rpn_anchor_scales": _ANCHORS_NUCLEUS,
    "rpn_nms_threshold": 0.9,
    "rpn_nms_threshold_inference": 0.7,
    "rpn_train_anchors_per_image": 64,
    "post_nms_rois_training": 1000,
    "post_nms_rois_inference": 2000,
    "image_resize_mode": "crop",
    "image_resize_mode_inference": "pad64",
    "image_min_dim": 512,
    "image_max_dim": 512,
    "image_min_scale": 2.0,
    "mean_pixel": (43.53, 39.56, 48.22),
    "train_rois_per_image": 128,
    "max_gt_instances": 200,
    "detection_max_instances": 400,
    "detection_min_confidence": 0.0,
}
_DEPARTURES = {
    "drop_zero_area_boxes": True,
    "class_loss_by_image": True,
    "stop_target_gradients": True,
    "fill_with_negatives": True,
    "half_pixel_sampling": True,
    "reference_resampling": False,
    "imagenet_rgb_stem": True,
}


@dataclass(frozen=True)
class ModelConfig(Section):
    """The network, what goes into it and how its output is read.

    Attributes that the reference does not have:
        rpn_channels, mask_head_channels, mask_head_convolutions: fixed in the reference.
        normalization: of backbone; `frozen_batch` is the reference's TRAIN_BN = False.
        pyramid_normalization: of the FPN; the reference has none.
        head_normalization: of the two heads; `none` leaves the layers out.
        output_std: of the first weights of the layers that predict classes and boxes; None
            for the reference's Glorot.
        dropout_rate: of the Monte-Carlo dropout after each convolutional block of the heads.
        precision: `float32`; `bfloat16` or `float16` for the layers between image and outputs.
            Weights, the last layer of each output, boxes and losses are float32 always.
        precision_inference: the same for detection and sampling; None means as in training,
            `auto` bfloat16 where it runs on a processor that multiplies it natively (by
            TensorFlow or PyTorch), and elsewhere as in training.
        rpn_nms_threshold_inference: None means as in training.
        image_resize_mode_inference: None means as in training.
        pixel_scale: the molded image is (RGB - mean_pixel) * pixel_scale.
        level4_side: side in pixels of the RoI that is pooled from level 4 of the pyramid; twice
            the side takes every RoI from a level finer by one, which shows borders better.
        drop_zero_area_boxes: boxes without area are no proposals and no detections. The
            reference keeps those that lie wholly in the padding.
        class_loss_by_image: the class loss looks at each image's own active classes, the
            reference at those of the first image of the batch.
        stop_target_gradients: targets are constants. In the reference the box loss of the
            second stage reaches the RPN through the RoI coordinates in its targets.
        fill_with_negatives: RoIs left over by a lack of positives become negatives. In the
            reference an image without a positive RoI teaches the classifier nothing.
        half_pixel_sampling: RoIAlign, mask targets and pasted masks sample bin centres, boxes
            keep fractions of a pixel. The reference samples corners and pastes by centres,
            which shifts the borders of small masks by up to half a pixel.
        reference_resampling: images are scaled as in the reference (no anti-aliasing, dark
            borders, truncation) rather than by Pillow.
        imagenet_rgb_stem: the first kernel of Keras's ImageNet ResNets, trained on BGR, is
            turned to the RGB that it is fed here. The reference feeds RGB to it as it is.
    """

    num_classes: int = 1
    backbone: str = "resnet101"
    backbone_strides: tuple[int, ...] = (4, 8, 16, 32, 64)
    normalization: str = "frozen_batch"
    pyramid_normalization: str = "none"
    head_normalization: str = "frozen_batch"
    output_std: float | None = None
    top_down_pyramid_size: int = 256
    rpn_channels: int = 512
    fpn_classif_fc_layers_size: int = 1024
    mask_head_channels: int = 256
    mask_head_convolutions: int = 4
    dropout_rate: float = 0.5
    precision: str = "float32"
    precision_inference: str | None = None
    rpn_anchor_scales: tuple[float, ...] = (32, 64, 128, 256, 512)
    rpn_anchor_ratios: tuple[float, ...] = (0.5, 1, 2)
    rpn_anchor_stride: int = 1
    rpn_nms_threshold: float = 0.7
    rpn_nms_threshold_inference: float | None = None
    rpn_train_anchors_per_image: int = 256
    pre_nms_limit: int = 6000
    post_nms_rois_training: int = 2000
    post_nms_rois_inference: int = 1000
    use_mini_mask: bool = True
    mini_mask_shape: tuple[int, int] = (56, 56)
    image_resize_mode: str = "square"
    image_resize_mode_inference: str | None = None
    image_min_dim: int = 800
    image_max_dim: int = 1024
    image_min_scale: float = 0
    mean_pixel: tuple[float, float, float] = (123.7, 116.8, 103.9)
    pixel_scale: float = 1.0
    train_rois_per_image: int = 200
    roi_positive_ratio: float = 0.33
    pool_size: int = 7
    mask_pool_size: int = 14
    mask_shape: tuple[int, int] = (28, 28)
    level4_side: float = 224.0
    max_gt_instances: int = 100
    rpn_bbox_std_dev: tuple[float, float, float, float] = (0.1, 0.1, 0.2, 0.2)
    bbox_std_dev: tuple[float, float, float, float] = (0.1, 0.1, 0.2, 0.2)
    detection_max_instances: int = 100
    detection_min_confidence: float = 0.7
    detection_nms_threshold: float = 0.3
    drop_zero_area_boxes: bool = False
    class_loss_by_image: bool = False
    stop_target_gradients: bool = False
    fill_with_negatives: bool = False
    half_pixel_sampling: bool = False
    reference_resampling: bool = True
    imagenet_rgb_stem: bool = False

    presets: ClassVar = {
        "matterport": {},
        "nucleus": _NUCLEUS,
        "thesis": {
            **_NUCLEUS,
            "detection_min_confidence": 0.7,
            "precision_inference": "auto",
            **_DEPARTURES,
        },
        "cpu": {
            "num_classes": 2,
            "backbone": "efficientnet_lite0",
            "pyramid_normalization": "group",
            "head_normalization": "group",
            "output_std": 0.01,
            "top_down_pyramid_size": 96,
            "rpn_channels": 96,
            "fpn_classif_fc_layers_size": 384,
            "mask_head_channels": 64,
            "rpn_anchor_scales": _ANCHORS_NUCLEUS,
            "pre_nms_limit": 1000,
            "post_nms_rois_training": 500,
            "post_nms_rois_inference": 400,
            "image_resize_mode": "crop",
            "image_resize_mode_inference": "pad64",
            "image_min_dim": 256,
            "image_max_dim": 256,
            "mean_pixel": (127.0, 127.0, 127.0),
            "pixel_scale": 1 / 128,
            "mini_mask_shape": (28, 28),
            "train_rois_per_image": 96,
            "max_gt_instances": 150,
            "detection_max_instances": 400,
            "detection_min_confidence": 0.05,
            "detection_nms_threshold": 0.4,
            "precision_inference": "auto",
            **_DEPARTURES,
        },
    }
    choices: ClassVar = {
        "backbone": ("resnet50", "resnet101", "efficientnet_lite0"),
        "normalization": ("frozen_batch", "batch", "group"),
        "pyramid_normalization": ("batch", "group", "none"),
        "head_normalization": ("frozen_batch", "batch", "group", "none"),
        "precision": ("float32", "bfloat16", "float16"),
        "precision_inference": (None, "auto", "float32", "bfloat16", "float16"),
        "image_resize_mode": ("none", "square", "pad64", "crop"),
        "image_resize_mode_inference": (None, "none", "square", "pad64"),
    }
    bounds: ClassVar = {
        **dict.fromkeys(_COUNTS, (1, 10_000_000)),
        "num_classes": (1, 10000),
        "output_std": (0.0, 1.0),
        "pixel_scale": (1e-6, 1e6),
        "image_min_scale": (0.0, 1000.0),
        "level4_side": (1.0, 1e6),
        "dropout_rate": (0.0, 0.95),
        "mask_head_convolutions": (1, 8),
        "rpn_nms_threshold": (0.0, 1.0),
        "rpn_nms_threshold_inference": (0.0, 1.0),
        "detection_nms_threshold": (0.0, 1.0),
        "detection_min_confidence": (0.0, 1.0),
        "roi_positive_ratio": (0.01, 1.0),
        "image_min_dim": (1, 65536),
        "image_max_dim": (1, 65536),
    }

    def __post_init__(self):
        super().__post_init__()
        if len(self.rpn_anchor_scales) != len(self.backbone_strides):
            raise UserError(
                f"rpn_anchor_scales has {len(self.rpn_anchor_scales)} values; it needs one for "
                f"each of the {len(self.backbone_strides)} pyramid levels in backbone_strides."
            )
        if len(self.backbone_strides) != 5 or not self.rpn_anchor_ratios:
            raise UserError("The pyramid has five levels, and at least one anchor ratio.")
        if self.mask_shape != (2 * self.mask_pool_size,) * 2:
            raise UserError(
                f"mask_shape is {self.mask_shape}; the mask head gives twice mask_pool_size, "
                f"{2 * self.mask_pool_size}, both ways."
            )
        if int(self.train_rois_per_image * self.roi_positive_ratio) < 1:
            raise UserError("train_rois_per_image * roi_positive_ratio leaves no positive RoI.")
        if min(self.mini_mask_shape) < 1:
            raise UserError(f"mini_mask_shape is {self.mini_mask_shape}; it needs pixels.")
        check_sides(self)
