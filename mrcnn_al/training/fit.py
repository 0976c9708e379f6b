"""Fits a model to labelled images."""

import contextlib
import math
import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import keras
import numpy as np
from keras import ops

from mrcnn_al.config import TrainingConfig
from mrcnn_al.datasets.base import Load
from mrcnn_al.errors import UserError
from mrcnn_al.ops.determinism import fix_order_of_sums
from mrcnn_al.progress import progress
from mrcnn_al.training import devices
from mrcnn_al.training.batches import Pipeline, fixed_batches, training_batches
from mrcnn_al.training.checkpoint import Checkpoint, Position
from mrcnn_al.training.early_stopping import EarlyStopping
from mrcnn_al.training.event_file import EventFile
from mrcnn_al.training.examples import ExampleMaker, without_augmentation
from mrcnn_al.training.layer_selection import select_layers
from mrcnn_al.training.optimizer import (
    averaged_weights,
    check_loss_scale,
    make_optimizer,
    restart,
    take_averages,
)
from mrcnn_al.training.schedule import WarmupSchedule

HINT = "If there is nothing wrong with them, a smaller --learning-rate usually helps."


class Fitter:
    """Trains a model, several times over without compiling again.

    The same seed gives the same weights; see `mrcnn_al.ops.determinism.fix_order_of_sums` for
    what that asks of the process.

    Args:
        model: a MaskRCNN or a UNet; its weights change.
        config: how.
        make_examples: the kind of rows that the model is called on.

    Raises:
        UserError: the images of a batch would have different sizes, or the model was not made
            for as many devices.
    """

    def __init__(
        self, model, config: TrainingConfig, make_examples: type[ExampleMaker] = ExampleMaker
    ):
        if model.config.image_resize_mode in ("none", "pad64") and config.images_per_batch > 1:
            raise UserError(
                f"In image_resize_mode {model.config.image_resize_mode!r} images keep their own "
                "sizes, so a batch can hold one only: use --images-per-batch 1, or mode crop or "
                "square."
            )
        devices.check(model, config)
        fix_order_of_sums()
        self.model = model
        self.config = config
        self._schedule = None
        self._maker = make_examples(model.config, config)
        self._validation_maker = make_examples(model.config, without_augmentation(config))
        self._pipeline = Pipeline(config.workers, config.prefetch)
        select_layers(model, config.layers)
        self._losses = tuple(model.loss_weights)
        model.loss_weights = {name: self._loss_weight(f"{name}_weight") for name in self._losses}
        # AdamW decays the weights itself.
        model.weight_decay = 0.0 if config.optimizer == "adamw" else config.weight_decay
        model.mean_weight_decay = config.mean_weight_decay

    def fit(
        self,
        image_ids: Sequence[str],
        load: Load,
        seed: int,
        description: str = "training",
        validation_ids: Sequence[str] | None = None,
        checkpoint: str | os.PathLike | None = None,
        log_folder: str | os.PathLike | None = None,
    ) -> list[dict]:
        """Trains with a fresh optimizer, or goes on from a checkpoint.

        The model ends up with the averaged weights where `ema_momentum` is set, and with those
        of the best epoch where `early_stopping_patience` is.

        Args:
            image_ids: what to train on.
            load: image id to (uint8 RGB image, instances); called from several threads.
            seed: of order, augmentation and draws.
            description: for the progress bar.
            validation_ids: images whose loss is taken after each epoch, without augmentation
                and with the same crops and draws each time.
            checkpoint: a file to go on from, if it is there, and to keep up to date, also
                when training is done; whoever has stored the weights deletes it.
            log_folder: where `tensorboard` writes its event file.

        Returns:
            One row an epoch: epoch, loss and the model's losses of its last step, val_loss
            (these losses, weighted, without the L2 term), learning_rate, seconds, and
            waiting_seconds, those in which the device waited for a batch.

        Raises:
            UserError: nothing to train on, early stopping without validation images, the loss
                is not a number any more, or the checkpoint is of another training.
        """
        config = self.config
        self._check(image_ids, validation_ids, log_folder)
        if config.epochs == 0:
            return []
        # The batches whose gradients may be in the weights that the next step finds.
        self._recent = deque(maxlen=config.gradient_accumulation_steps)
        self._witness = None
        if config.gradient_clip_norm:
            self._witness = min(self.model.trainable_variables, key=lambda v: math.prod(v.shape))
        steps = self._steps_per_epoch(len(image_ids))
        total = steps * config.epochs
        self._restart(total)
        stopping = EarlyStopping(config.early_stopping_patience)
        position, kept = Position(), None
        if checkpoint is not None:
            kept = Checkpoint(checkpoint, self._identity(image_ids, validation_ids, seed))
            position = kept.load(self.model, stopping)
        batches = training_batches(
            image_ids,
            load,
            self._maker,
            config.images_per_batch,
            total,
            seed,
            position.step,
            self._pipeline,
        )
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.closing(batches))
            advance = stack.enter_context(progress(description, total, "steps"))
            events = None
            if config.tensorboard:
                events = stack.enter_context(EventFile(log_folder, position.step))
            advance(position.step)
            while position.step < total and not stopping.stopped:
                logs = self._step(position, batches, steps, events)
                advance(1, f"loss {logs['loss']:.3f}")
                ended = position.step % steps == 0
                if ended:
                    self._end_epoch(position, logs, validation_ids, load, stopping, events)
                if kept and (ended or position.step % (config.checkpoint_steps or total) == 0):
                    kept.save(self.model, position, stopping)
        self._finish(stopping)
        return position.history

    def _loss_weight(self, field):
        """From the settings that have it: those of a Mask R-CNN's losses are of the training."""
        return getattr(self.config if hasattr(self.config, field) else self.model.config, field)

    def _check(self, image_ids, validation_ids, log_folder):
        config = self.config
        if not image_ids:
            raise UserError("There is no labelled image to train on.")
        if config.early_stopping_patience is not None and not validation_ids:
            raise UserError("early_stopping_patience needs images for validation; there are none.")
        if config.tensorboard and log_folder is None:
            raise UserError("tensorboard needs a folder for its event files; there is none.")

    def _steps_per_epoch(self, images):
        """So that each epoch ends with an update."""
        config = self.config
        if config.steps_per_epoch:
            return config.steps_per_epoch
        accumulated = config.gradient_accumulation_steps
        return math.ceil(images / (config.images_per_batch * accumulated)) * accumulated

    def _identity(self, image_ids, validation_ids, seed):
        """What decides on the result of a training, besides the weights it starts from."""
        training = replace(self.config, workers=None, prefetch=None, checkpoint_steps=None)
        return {
            "model": self.model.config.to_dict(),
            "training": training.to_dict(),
            "image_ids": list(image_ids),
            "validation_ids": list(validation_ids or ()),
            "seed": seed,
            "backend": keras.backend.backend(),
        }

    def _step(self, position, batches, steps, events):
        begin = time.perf_counter()
        batch = next(batches)
        ready = time.perf_counter()
        logs = devices.train_step(self.model, batch.inputs)
        epoch, step = divmod(position.step, steps)
        position.step += 1
        position.seconds += time.perf_counter() - begin
        position.waiting_seconds += ready - begin
        self._check_step(logs["loss"], f"step {step + 1} of epoch {epoch + 1}", batch)
        if events:
            scalars = {f"train/{name}": logs[name] for name in ("loss", *self._losses)}
            rate = float(self.model.optimizer.learning_rate)
            events.scalars(position.step, {**scalars, "train/learning_rate": rate})
        return logs

    def _check_step(self, loss, name, batch):
        """A step can end in a sound loss and a gradient that is no number (NaN passes for 0 in
        some kernels for ReLU); it has broken the weights then, which tells its batch from the
        next one. One variable tells for all, as their gradients are clipped by a common norm.
        """
        _check_finite(loss, f"at {name}", batch, () if self._witness is not None else self._recent)
        self._recent.append(batch)
        if self._witness is not None and not np.isfinite(ops.convert_to_numpy(self._witness)).all():
            raise UserError(
                f"The loss is {loss} at {name}, but its gradient is not a "
                f"number, {_named(*self._recent)}. {HINT}"
            )

    def _end_epoch(self, position, logs, validation_ids, load, stopping, events):
        check_loss_scale(self.model.optimizer)
        begin = time.perf_counter()
        validation = {}
        if validation_ids:
            with averaged_weights(self.model):
                loss = self._validation_loss(validation_ids, load, len(position.history) + 1)
                stopping.epoch_ended(loss, self._weights)
            validation = {"val_loss": loss}
        row = {
            "epoch": len(position.history) + 1,
            **{name: float(logs[name]) for name in ("loss", *self._losses)},
            **validation,
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": position.seconds + time.perf_counter() - begin,
            "waiting_seconds": position.waiting_seconds,
        }
        position.history.append(row)
        position.seconds = position.waiting_seconds = 0.0
        if events:
            names = (*validation, "seconds", "waiting_seconds")
            events.scalars(position.step, {f"epoch/{name}": row[name] for name in names})

    def _validation_loss(self, image_ids, load, epoch):
        batches = fixed_batches(
            image_ids, load, self._validation_maker, self.config.images_per_batch, self._pipeline
        )
        found = []
        with contextlib.closing(batches):
            for batch in batches:
                logs = devices.test_step(self.model, batch.inputs)
                loss = sum(self.model.loss_weights[name] * logs[name] for name in self._losses)
                _check_finite(loss, f"in validation after epoch {epoch}", batch)
                found.append(loss)
        return float(np.mean(found))

    def _weights(self):
        return [ops.convert_to_numpy(variable).copy() for variable in self.model.weights]

    def _finish(self, stopping):
        if stopping.best_weights:
            for variable, value in zip(self.model.weights, stopping.best_weights, strict=True):
                variable.assign(value)
        else:
            take_averages(self.model)

    def _restart(self, total_steps):
        if self._schedule is not None:
            restart(self.model.optimizer)
            self._schedule.total_steps.assign(total_steps)
            return
        config = self.config
        with devices.scope(self.model):
            self._schedule = WarmupSchedule(
                config.learning_rate,
                config.warmup_steps,
                config.schedule,
                total_steps,
                config.step_milestones,
                config.step_factor,
            )
            self.model.compile(
                optimizer=make_optimizer(self.model, config, self._schedule),
                jit_compile=keras.backend.backend() == "jax",
                auto_scale_loss=False,
            )


def _check_finite(loss, where, batch, before=()):
    if not math.isfinite(loss):
        before = f" It may also be the steps before, {_named(*before)}." if before else ""
        raise UserError(f"The loss is {loss} {where}, {_named(batch)}.{before} {HINT}")


def _named(*batches):
    return f"of the images {', '.join(str(i) for batch in batches for i in batch.image_ids)}"
