"""Settings of training and of sampling."""

from dataclasses import dataclass
from typing import ClassVar

from mrcnn_al.config.section import Section
from mrcnn_al.errors import UserError

_NUCLEUS = {
    "images_per_batch": 6,
    "epochs": 20,
    "flips": True,
    "rotations": True,
    "brightness_jitter": (0.8, 1.5),
}


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
        "nucleus": _NUCLEUS,
        "thesis": {**_NUCLEUS, "epochs": 10},
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
