"""Settings of a preset that depend on what the images show."""

from typing import Any

from mrcnn_al.config import ModelConfig
from mrcnn_al.datasets.subset_table import SUBSETS

_OF_THE_REFERENCE = (
    *("rpn_anchor_scales", "rpn_nms_threshold", "rpn_nms_threshold_inference"),
    *("rpn_train_anchors_per_image", "post_nms_rois_training", "post_nms_rois_inference"),
    *("image_resize_mode", "image_resize_mode_inference", "image_min_dim", "image_max_dim"),
    *("image_min_scale", "mean_pixel", "train_rois_per_image", "max_gt_instances"),
    "detection_max_instances",
)
# The preset `thesis` is made after Matterport's nucleus sample. For photographs the thesis's
# silence is filled with Matterport's defaults instead, and its COCO sample's only augmentation.
_PHOTOGRAPHS: dict[str, dict[str, dict[str, Any]]] = {
    "thesis": {
        "model": {name: getattr(ModelConfig(), name) for name in _OF_THE_REFERENCE},
        "training": {
            "images_per_batch": 2,
            "flips": True,
            "rotations": False,
            "brightness_jitter": (1.0, 1.0),
        },
    },
    # Whole images, not crops of nuclei, and nothing upside down.
    "cpu": {
        "model": {
            "image_resize_mode": "square",
            "image_resize_mode_inference": "square",
            "rpn_anchor_scales": (16, 32, 64, 128, 256),
            "max_gt_instances": 100,
            "detection_max_instances": 100,
        },
        "training": {"rotations": False},
    },
}


def settings_for_images(preset: str, subset: str) -> dict[str, dict[str, Any]]:
    """By section, what a preset needs for the images of a subset; empty for nuclei."""
    if SUBSETS[subset].source != "coco":
        return {}
    return {section: dict(values) for section, values in _PHOTOGRAPHS.get(preset, {}).items()}
