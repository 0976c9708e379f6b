"""Settings of training and of sampling."""

import itertools
from dataclasses import dataclass
from typing import ClassVar

from mrcnn_al.config.section import Section
from mrcnn_al.errors import UserError

_FACTORS = ("scale_jitter", "brightness_jitter", "contrast_jitter", "saturation_jitter")
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

    A step is one batch. Gradient accumulation makes one update of the weights out of several
    steps; schedules count steps.

    Attributes that the reference does not have:
        images_per_batch: the reference's IMAGES_PER_GPU.
        epochs: passes over the labelled images.
        steps_per_epoch: None means each labelled image once an epoch.
        layers: which layers are trained: heads, 3+, 4+, 5+, all.
        optimizer: `sgd` with momentum, or `adamw`, whose weight decay is decoupled: it shrinks
            kernels by learning_rate * weight_decay at each update, and the L2 term of the loss
            is off.
        gradient_accumulation_steps: batches whose mean gradient makes one update; the norm that
            is clipped is that of the mean.
        warmup_steps: the learning rate rises linearly over so many steps.
        schedule: `constant`; `cosine` down to zero at the last step; `step`: times step_factor
            at each of the step_milestones.
        step_milestones: fractions of the training, rising, each between 0 and 1.
        step_factor: what the rate is multiplied by at a milestone.
        mean_weight_decay: as in the reference, the L2 term of a weight is divided by its
            size, which makes it next to nothing; off: a plain L2 term on kernels.
        ema_momentum: the trained weights are averaged over the updates, each average being
            this much of the old one and the rest of the new weights; validation and the end
            result use the averages. None: no averages.
        early_stopping_patience: epochs without a lower validation loss after which training
            stops; the weights of the best epoch are the result. None: all epochs.
        checkpoint_steps: where a training writes checkpoints, one comes after each epoch, and
            with this also after every so many steps.
        tensorboard: write losses, learning rate and times for TensorBoard.
        workers: threads that load and augment; None: one for each processor.
        prefetch: batches made ahead; None: enough to keep the workers busy.
        devices: how many devices share each batch; see mrcnn_al.training.devices.
        augmentation_policy: `each`: every enabled augmentation is drawn for every image;
            `some_of`: none, one or two of the enabled ones, as Matterport's nucleus sample has
            it. Its SomeOf((0, 2), ...) is flips, vertical_flips, rotations, brightness_jitter
            (0.8, 1.5) and blur_sigma (0, 5).
        flips: mirrors left and right, half of the time.
        vertical_flips: mirrors top and bottom, half of the time. Flips and rotations together
            make all eight positions of a square equally likely already.
        rotations: turns square images by right angles: under `each` by 0 to 270 degrees, under
            `some_of` by 90 to 270.
        scale_jitter: range of the factor by which an image is scaled before it is cropped.
        brightness_jitter: range of the factor for brightness.
        contrast_jitter: range of the factor for the distance of each value from the mean grey
            of the image.
        saturation_jitter: range of the factor for the distance of each pixel from its grey.
        hue_jitter: the hue turns by at most this part of the colour circle, either way.
        blur_sigma: range of the standard deviation of a Gaussian blur, pixels.
        foreground_crops: chance that a crop is placed around an instance.
    """

    epochs: int = 10
    steps_per_epoch: int | None = None
    images_per_batch: int = 2
    layers: str = "all"
    optimizer: str = "sgd"
    learning_rate: float = 0.001
    learning_momentum: float = 0.9
    weight_decay: float = 0.0001
    gradient_clip_norm: float = 5.0
    gradient_accumulation_steps: int = 1
    warmup_steps: int = 0
    schedule: str = "constant"
    step_milestones: tuple[float, ...] = (0.7, 0.9)
    step_factor: float = 0.1
    mean_weight_decay: bool = True
    ema_momentum: float | None = None
    early_stopping_patience: int | None = None
    checkpoint_steps: int | None = None
    tensorboard: bool = False
    workers: int | None = None
    prefetch: int | None = None
    devices: int = 1
    rpn_class_loss_weight: float = 1.0
    rpn_bbox_loss_weight: float = 1.0
    mrcnn_class_loss_weight: float = 1.0
    mrcnn_bbox_loss_weight: float = 1.0
    mrcnn_mask_loss_weight: float = 1.0
    augmentation_policy: str = "each"
    flips: bool = False
    vertical_flips: bool = False
    rotations: bool = False
    scale_jitter: tuple[float, float] = (1.0, 1.0)
    brightness_jitter: tuple[float, float] = (1.0, 1.0)
    contrast_jitter: tuple[float, float] = (1.0, 1.0)
    saturation_jitter: tuple[float, float] = (1.0, 1.0)
    hue_jitter: float = 0.0
    blur_sigma: tuple[float, float] = (0.0, 0.0)
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
        "optimizer": ("sgd", "adamw"),
        "schedule": ("constant", "cosine", "step"),
        "augmentation_policy": ("each", "some_of"),
    }
    bounds: ClassVar = {
        "epochs": (0, 100000),
        "steps_per_epoch": (1, 10000000),
        "images_per_batch": (1, 1024),
        "learning_rate": (0.0, 10.0),
        "learning_momentum": (0.0, 1.0),
        "weight_decay": (0.0, 1.0),
        "gradient_clip_norm": (0.0, 1e9),
        "gradient_accumulation_steps": (1, 10000),
        "warmup_steps": (0, 10000000),
        "step_factor": (0.0, 1.0),
        "ema_momentum": (0.0, 0.999999),
        "early_stopping_patience": (1, 100000),
        "checkpoint_steps": (1, 10000000),
        "workers": (1, 256),
        "prefetch": (1, 1024),
        "devices": (1, 1024),
        "hue_jitter": (0.0, 0.5),
        "foreground_crops": (0.0, 1.0),
    }

    def __post_init__(self):
        super().__post_init__()
        for name in _FACTORS:
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise UserError(f"{name} is ({low}, {high}); it needs 0 < low <= high.")
        low, high = self.blur_sigma
        if not 0 <= low <= high <= 1000:
            raise UserError(f"blur_sigma is ({low}, {high}); it needs 0 <= low <= high <= 1000.")
        milestones = (0, *self.step_milestones, 1)
        if any(a >= b for a, b in itertools.pairwise(milestones)):
            raise UserError(
                f"step_milestones is {self.step_milestones}; it needs rising fractions of the "
                "training, between 0 and 1."
            )
        if (self.steps_per_epoch or 0) % self.gradient_accumulation_steps:
            raise UserError(
                f"steps_per_epoch is {self.steps_per_epoch}, no multiple of the "
                f"{self.gradient_accumulation_steps} gradient_accumulation_steps: the last "
                "gradients of an epoch would be lost."
            )
        if self.images_per_batch % self.devices:
            raise UserError(
                f"{self.devices} devices cannot share {self.images_per_batch} images_per_batch "
                "equally; use a multiple."
            )


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
