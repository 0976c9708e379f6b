"""Fits a model to labelled images."""

import contextlib
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
    """

    def __init__(self, model, config: TrainingConfig):
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
        with contextlib.closing(batches), progress(description, total, "steps") as advance:
            follower = _Follower(advance)
            self.model.fit(
                ((batch,) for batch in batches),
                steps_per_epoch=steps,
                epochs=config.epochs,
                shuffle=False,
                verbose=0,
                callbacks=[follower],
            )
        return follower.history

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


class _Follower(keras.callbacks.Callback):
    """Advances the progress bar, keeps the history, stops on a loss that is not a number."""

    def __init__(self, advance):
        super().__init__()
        self.advance = advance
        self.history: list[dict] = []

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise UserError(
                f"The loss is {loss} at step {batch + 1} of epoch {len(self.history) + 1}. "
                f"A smaller --learning-rate usually helps."
            )
        self.advance(1, f"loss {loss:.3f}")

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, "loss": float(logs["loss"])}
        row.update({name: float(logs[name]) for name in LOSS_NAMES})
        row["learning_rate"] = float(self.model.optimizer.learning_rate)
        row["seconds"] = time.perf_counter() - self._begin
        self.history.append(row)
