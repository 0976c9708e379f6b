"""Every setting of a run: one frozen dataclass per concern, presets, YAML.

Fields that the reference (Matterport's `Config`) has keep its names in lower case. The
fields under "Departures" switch what ours does differently; the preset `matterport` has all
of them off.
"""

import dataclasses
import difflib
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

from mrcnn_al.errors import UserError


class Section:
    """What the configuration dataclasses share: presets, checked construction, choices."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    choices: ClassVar[dict[str, tuple[Any, ...]]] = {}
    bounds: ClassVar[dict[str, tuple[float, float]]] = {}

    @classmethod
    def preset(cls, name: str, /, **overrides):
        """The values of a preset, with some of them replaced.

        Raises:
            UserError: an unknown preset or field, or a value out of range.
        """
        if name not in PRESETS:
            raise UserError(f"Unknown preset {name!r}. {_nearest(name, PRESETS)}")
        return cls.from_dict({**cls.presets.get(name, {}), **overrides})

    @classmethod
    def from_dict(cls, values: dict[str, Any]):
        """From plain values; lists become tuples.

        Raises:
            UserError: an unknown field (the nearest known one is named) or a value out of range.
        """
        known = [f.name for f in dataclasses.fields(cls)]
        for name in values:
            if name not in known:
                raise UserError(f"{cls.__name__} has no field {name!r}. {_nearest(name, known)}")
        tupled = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**tupled)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for YAML; tuples become lists."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    def __post_init__(self):
        for f in dataclasses.fields(self):
            _check_type(type(self).__name__, f, getattr(self, f.name))
        for name, allowed in self.choices.items():
            if getattr(self, name) not in allowed:
                raise UserError(
                    f"{name} is {getattr(self, name)!r}; it must be one of "
                    f"{', '.join(map(repr, allowed))}."
                )
        for name, (low, high) in self.bounds.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UserError(f"{name} is {value}; it must be from {low} to {high}.")


_ANCHORS_NUCLEUS = (8, 16, 32, 64, 128)
_DEPARTURES = {
    "drop_zero_area_boxes": True,
    "class_loss_by_image": True,
    "stop_target_gradients": True,
    "fill_with_negatives": True,
    "half_pixel_sampling": True,
    "reference_resampling": False,
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
        image_resize_mode_inference: None means as in training.
        pixel_scale: the molded image is (RGB - mean_pixel) * pixel_scale.
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
    rpn_anchor_scales: tuple[float, ...] = (32, 64, 128, 256, 512)
    rpn_anchor_ratios: tuple[float, ...] = (0.5, 1, 2)
    rpn_anchor_stride: int = 1
    rpn_nms_threshold: float = 0.7
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
    max_gt_instances: int = 100
    rpn_bbox_std_dev: tuple[float, ...] = (0.1, 0.1, 0.2, 0.2)
    bbox_std_dev: tuple[float, ...] = (0.1, 0.1, 0.2, 0.2)
    detection_max_instances: int = 100
    detection_min_confidence: float = 0.7
    detection_nms_threshold: float = 0.3
    drop_zero_area_boxes: bool = False
    class_loss_by_image: bool = False
    stop_target_gradients: bool = False
    fill_with_negatives: bool = False
    half_pixel_sampling: bool = False
    reference_resampling: bool = True

    presets: ClassVar = {
        "matterport": {},
        "nucleus": {
            "num_classes": 2,
            "backbone": "resnet50",
            "rpn_anchor_scales": _ANCHORS_NUCLEUS,
            "rpn_nms_threshold": 0.9,
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
        },
        "thesis": {
            "num_classes": 2,
            "backbone": "resnet50",
            "rpn_anchor_scales": _ANCHORS_NUCLEUS,
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
            "detection_min_confidence": 0.7,
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
            **_DEPARTURES,
        },
    }
    choices: ClassVar = {
        "backbone": ("resnet50", "resnet101", "efficientnet_lite0"),
        "normalization": ("frozen_batch", "batch", "group"),
        "pyramid_normalization": ("batch", "group", "none"),
        "head_normalization": ("frozen_batch", "batch", "group", "none"),
        "image_resize_mode": ("none", "square", "pad64", "crop"),
        "image_resize_mode_inference": (None, "none", "square", "pad64"),
    }
    bounds: ClassVar = {
        "num_classes": (1, 10000),
        "dropout_rate": (0.0, 0.95),
        "mask_head_convolutions": (1, 8),
        "rpn_nms_threshold": (0.0, 1.0),
        "detection_nms_threshold": (0.0, 1.0),
        "detection_min_confidence": (0.0, 1.0),
        "detection_max_instances": (1, 100000),
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
        if self.image_resize_mode in ("square", "crop"):
            name = "image_max_dim" if self.image_resize_mode == "square" else "image_min_dim"
            if getattr(self, name) % 64:
                raise UserError(f"{name} is {getattr(self, name)}; it must be divisible by 64.")


@dataclass(frozen=True)
class TrainingConfig(Section):
    """How the model is fitted.

    Attributes that the reference does not have:
        images_per_batch: the reference's IMAGES_PER_GPU.
        epochs: passes over the labelled images.
        steps_per_epoch: None means each labelled image once an epoch.
        layers: which layers are trained: heads, 3+, 4+, 5+, all.
        warmup_steps: the learning rate rises linearly over so many steps.
        schedule: `constant`, or `cosine` down to zero at the last step.
        mean_weight_decay: as in the reference, the L2 term of a weight is divided by its
            size, which makes it next to nothing; off: a plain L2 term on kernels.
        flips, rotations: mirror images and right-angle rotations at random.
        scale_jitter: range of the factor by which an image is scaled before it is cropped.
        brightness_jitter: range of the factor for brightness.
        foreground_crops: chance that a crop is placed around an instance.
    """

    epochs: int = 10
    steps_per_epoch: int | None = None
    images_per_batch: int = 2
    layers: str = "all"
    learning_rate: float = 0.001
    learning_momentum: float = 0.9
    weight_decay: float = 0.0001
    gradient_clip_norm: float = 5.0
    warmup_steps: int = 0
    schedule: str = "constant"
    mean_weight_decay: bool = True
    rpn_class_loss_weight: float = 1.0
    rpn_bbox_loss_weight: float = 1.0
    mrcnn_class_loss_weight: float = 1.0
    mrcnn_bbox_loss_weight: float = 1.0
    mrcnn_mask_loss_weight: float = 1.0
    flips: bool = False
    rotations: bool = False
    scale_jitter: tuple[float, float] = (1.0, 1.0)
    brightness_jitter: tuple[float, float] = (1.0, 1.0)
    foreground_crops: float = 0.0

    presets: ClassVar = {
        "matterport": {},
        "nucleus": {
            "images_per_batch": 6,
            "epochs": 20,
            "flips": True,
            "rotations": True,
            "brightness_jitter": (0.8, 1.5),
        },
        "thesis": {
            "images_per_batch": 6,
            "epochs": 10,
            "flips": True,
            "rotations": True,
            "brightness_jitter": (0.8, 1.5),
        },
        "cpu": {
            "images_per_batch": 4,
            "epochs": 10,
            "learning_rate": 0.02,
            "gradient_clip_norm": 5.0,
            "warmup_steps": 50,
            "schedule": "cosine",
            "mean_weight_decay": False,
            "weight_decay": 0.00005,
            "flips": True,
            "rotations": True,
            "scale_jitter": (0.7, 1.5),
            "brightness_jitter": (0.8, 1.25),
            "foreground_crops": 0.8,
        },
    }
    choices: ClassVar = {
        "layers": ("heads", "3+", "4+", "5+", "all"),
        "schedule": ("constant", "cosine"),
    }
    bounds: ClassVar = {
        "epochs": (0, 100000),
        "steps_per_epoch": (1, 10000000),
        "images_per_batch": (1, 1024),
        "learning_rate": (0.0, 10.0),
        "learning_momentum": (0.0, 1.0),
        "weight_decay": (0.0, 1.0),
        "gradient_clip_norm": (0.0, 1e9),
        "warmup_steps": (0, 10000000),
        "foreground_crops": (0.0, 1.0),
    }

    def __post_init__(self):
        super().__post_init__()
        for name in ("scale_jitter", "brightness_jitter"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise UserError(f"{name} is ({low}, {high}); it needs 0 < low <= high.")


@dataclass(frozen=True)
class SamplingConfig(Section):
    """How the pool is scored.

    Attributes:
        passes: T, the stochastic passes an image.
        min_confidence: detections below it do not count in scores and pseudo-labels.
    """

    passes: int = 10
    min_confidence: float = 0.7

    bounds: ClassVar = {"passes": (1, 1000), "min_confidence": (0.0, 1.0)}


@dataclass(frozen=True)
class StrategyConfig(Section):
    """What is labelled next.

    Attributes:
        name: of the strategy.
        batch: images a query.
        zones: zones are cut by `rank` or by `value` of the normalised uncertainty.
        pseudo_threshold: images with less mask uncertainty get pseudo-labels, pixels.
        pseudo_from: the first iteration, from 1, that makes pseudo-labels.
    """

    name: str = "semi"
    batch: int = 40
    zones: str = "rank"
    pseudo_threshold: float = 50.0
    pseudo_from: int = 1

    choices: ClassVar = {"zones": ("rank", "value")}
    bounds: ClassVar = {
        "batch": (1, 1000000),
        "pseudo_threshold": (0.0, 1e12),
        "pseudo_from": (1, 1000000),
    }


@dataclass(frozen=True)
class RunConfig(Section):
    """What is run.

    Attributes:
        subset: name of the image set and its split.
        data: where its files are; None where they are made.
        seed: fixes splits, initial weights, order, augmentation, dropout and selections.
        iterations: turns of the loop.
        labelled: images labelled at the start; None means as the subset says.
        weights: coco, imagenet, none, or a file.
        exclude: names of layers that the weights leave alone; `heads` for all that depend
            on the number of classes.
        carry_weights: an iteration starts from the weights of the one before.
        skip_broken: leave out image files that cannot be read.
        class_names: of classes 1, 2, ...; filled in from the image set.
    """

    subset: str = "toy"
    data: str | None = None
    preset_name: str = "cpu"
    seed: int = 0
    iterations: int = 5
    labelled: int | None = None
    weights: str = "imagenet"
    exclude: tuple[str, ...] = ()
    carry_weights: bool = True
    skip_broken: bool = False
    class_names: tuple[str, ...] = ()

    bounds: ClassVar = {
        "iterations": (1, 100000),
        "seed": (0, 2**31 - 1),
        "labelled": (1, 100000000),
    }


@dataclass(frozen=True)
class Config:
    """All sections of one run."""

    run: RunConfig = field(default_factory=RunConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    strategy: StrategyConfig = field(default_factory=StrategyConfig)

    @classmethod
    def preset(cls, name: str, /, **overrides: dict[str, Any]) -> "Config":
        """The values of a preset; `overrides` are dictionaries by section name."""
        sections = {f.name: f.default_factory for f in dataclasses.fields(cls)}
        return cls(
            **{k: section.preset(name, **overrides.get(k, {})) for k, section in sections.items()}
        )

    @classmethod
    def for_subset(cls, preset: str, subset: str, /, **overrides: dict[str, Any]) -> "Config":
        """The values of a preset, fitted to an image set; `overrides` come last."""
        merged: dict[str, dict[str, Any]] = {"run": {"subset": subset, "preset_name": preset}}
        for layer in (_SUBSET_DEFAULTS.get((preset, subset), {}), overrides):
            for section, values in layer.items():
                merged.setdefault(section, {}).update(values)
        return cls.preset(preset, **merged)

    def to_yaml(self) -> str:
        """As YAML text that `from_yaml` reads back to an equal value."""
        return yaml.safe_dump(
            {f.name: getattr(self, f.name).to_dict() for f in dataclasses.fields(self)},
            sort_keys=False,
        )

    @classmethod
    def from_yaml(cls, text: str, name: str = "config.yaml") -> "Config":
        """Reads what `to_yaml` wrote, or a part of it.

        Raises:
            UserError: not YAML, an unknown section or field, or a value out of range.
        """
        try:
            values = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise UserError(f"{name} is not valid YAML: {error}") from error
        sections = {f.name: f.default_factory for f in dataclasses.fields(cls)}
        if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
            raise UserError(f"{name} must hold the sections {', '.join(sections)}.")
        for key in values:
            if key not in sections:
                raise UserError(f"{name} has no section {key!r}. {_nearest(key, sections)}")
        return cls(**{k: sections[k].from_dict(v) for k, v in values.items()})


# Toy images have 128 x 128 pixels and are few: smaller batches, more epochs.
_SUBSET_DEFAULTS: dict[tuple[str, str], dict[str, dict[str, Any]]] = {
    ("cpu", "toy"): {
        "run": {"iterations": 4},
        "model": {"image_min_dim": 128, "image_max_dim": 128},
        "training": {"epochs": 20},
        "strategy": {"batch": 8},
    },
}
PRESETS = ("matterport", "nucleus", "thesis", "cpu")


def _nearest(name: str, known) -> str:
    close = difflib.get_close_matches(str(name), list(known), n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known are: {', '.join(known)}."


def _check_type(owner: str, f: dataclasses.Field, value: Any) -> None:
    text = f.type if isinstance(f.type, str) else getattr(f.type, "__name__", str(f.type))
    expected = str(f.type) if "|" in str(f.type) or "tuple" in str(f.type) else text
    number = isinstance(value, int | float) and not isinstance(value, bool)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value is None:
        good = "None" in expected
    elif expected.startswith("tuple[str"):
        good = isinstance(value, tuple) and all(isinstance(v, str) for v in value)
    elif expected.startswith("tuple"):
        size = expected.count(",") + 1 if "..." not in expected else None
        good = isinstance(value, tuple) and all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in value
        )
        good = good and size in (None, len(value))
    else:
        kind = expected.split(" ")[0]
        good = {
            "int": whole,
            "float": number and value == value,
            "bool": isinstance(value, bool),
            "str": isinstance(value, str),
        }[kind]
    if not good:
        raise UserError(f"{owner}.{f.name} is {value!r}; it must be {expected}.")
