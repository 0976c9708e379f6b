"""Fits a model to labelled images."""

import contextlib
import itertools
import math
import time
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops

from mrcnn_al.config import TrainingConfig
from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances
from mrcnn_al.mask_rcnn.model import LOSS_NAMES
from mrcnn_al.progress import progress
from mrcnn_al.training.batches import training_batches
from mrcnn_al.training.examples import ExampleMaker
from mrcnn_al.training.layer_selection import select_layers


class Fitter:
    """Trains a MaskRCNN, several times over without compiling again.

    Args:
        model: a MaskRCNN; its weights change.
        config: how.

    Raises:
        UserError: the images of a batch would have different sizes.
    """

    def __init__(self, model, config: TrainingConfig):
        if model.config.image_resize_mode in ("none", "pad64") and config.images_per_batch > 1:
            raise UserError(
                f"In image_resize_mode {model.config.image_resize_mode!r} images keep their own "
                "sizes, so a batch can hold one only: use --images-per-batch 1, or mode crop or "
                "square."
            )
        self.model = model
        self.config = config
        self._schedule = None
        self._maker = ExampleMaker(model.config, config)
        select_layers(model, config.layers)
        model.loss_weights = {name: getattr(config, f"{name}_weight") for name in LOSS_NAMES}
        model.weight_decay = config.weight_decay
        model.mean_weight_decay = config.mean_weight_decay

    def fit(
        self,
        image_ids: Sequence[str],
        load: Callable[[str], tuple[np.ndarray, Instances]],
        seed: int,
        description: str = "training",
    ) -> list[dict]:
        """Trains with a fresh optimizer.

        Args:
            image_ids: what to train on.
            load: image id to (uint8 RGB image, instances); called from several threads.
            seed: of order, augmentation and draws.
            description: for the progress bar.

        Returns:
            One row an epoch: epoch, loss, the five losses, learning_rate, seconds.

        Raises:
            UserError: nothing to train on, or the loss is not a number any more.
        """
        config = self.config
        if not image_ids:
            raise UserError("There is no labelled image to train on.")
        if config.epochs == 0:
            return []
        steps = config.steps_per_epoch or math.ceil(len(image_ids) / config.images_per_batch)
        total = steps * config.epochs
        self._restart(total)
        batches = training_batches(
            image_ids, load, self._maker, config.images_per_batch, total, seed
        )
        history = []
        with contextlib.closing(batches), progress(description, total, "steps") as advance:
            for epoch in range(1, config.epochs + 1):
                history.append(self._epoch(epoch, itertools.islice(batches, steps), advance))
        return history

    def _epoch(self, epoch, batches, advance):
        begin = time.perf_counter()
        self.model.reset_metrics()
        for step, batch in enumerate(batches, start=1):
            logs = self.model.train_on_batch(batch, return_dict=True)
            loss = float(logs["loss"])
            if not math.isfinite(loss):
                raise UserError(
                    f"The loss is {loss} at step {step} of epoch {epoch}. "
                    f"A smaller --learning-rate usually helps."
                )
            advance(1, f"loss {loss:.3f}")
        return {
            "epoch": epoch,
            "loss": loss,
            **{name: float(logs[name]) for name in LOSS_NAMES},
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": time.perf_counter() - begin,
        }

    def _restart(self, total_steps):
        # JAX compiles the value of the schedule's length in; the others read it at every step.
        if self._schedule is None or keras.backend.backend() == "jax":
            config = self.config
            self._schedule = WarmupSchedule(
                config.learning_rate, config.warmup_steps, config.schedule, total_steps
            )
            self.model.compile(
                optimizer=keras.optimizers.SGD(
                    self._schedule,
                    momentum=config.learning_momentum,
                    global_clipnorm=config.gradient_clip_norm or None,
                ),
                jit_compile=keras.backend.backend() == "jax",
            )
            return
        self._schedule.total_steps.assign(total_steps)
        for variable in self.model.optimizer.variables:
            variable.assign(ops.zeros_like(variable))


@keras.saving.register_keras_serializable("mrcnn_al")
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise, then constant or half a cosine down to zero.

    Args:
        peak: the highest rate.
        warmup_steps: of the rise; at most a fifth of all steps.
        shape: constant or cosine.
        total_steps: of the training.
    """

    def __init__(self, peak: float, warmup_steps: int, shape: str, total_steps: int):
        super().__init__()
        self.peak, self.warmup_steps, self.shape = peak, warmup_steps, shape
        self.total_steps = keras.Variable(
            total_steps, trainable=False, dtype="int32", name="total_steps"
        )

    def __call__(self, step):
        """The rate at a step, a scalar tensor."""
        step = ops.cast(step, "float32")
        total = ops.cast(self.total_steps, "float32")
        warmup = ops.minimum(float(self.warmup_steps), ops.floor(total / 5))
        rate = ops.minimum(1.0, (step + 1) / ops.maximum(warmup, 1.0))
        if self.shape == "cosine":
            done = ops.clip((step - warmup) / ops.maximum(total - warmup, 1.0), 0.0, 1.0)
            rate = rate * 0.5 * (1 + ops.cos(math.pi * done))
        return self.peak * rate

    def get_config(self):
        """The arguments to make the schedule again."""
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "shape": self.shape,
            "total_steps": int(self.total_steps),
        }
