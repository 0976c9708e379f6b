"""The optimizer of a training, and what it averages."""

import contextlib
from collections.abc import Iterator

import keras
from keras import ops

from mrcnn_al.config import TrainingConfig
from mrcnn_al.errors import UserError
from mrcnn_al.ops import backend
from mrcnn_al.training.schedule import WarmupSchedule

# A loss scale that has been halved down to this has not seen a finite gradient for long.
LEAST_LOSS_SCALE = 2.0**-14


def make_optimizer(
    model: keras.Model,
    config: TrainingConfig,
    learning_rate: WarmupSchedule,
) -> keras.optimizers.Optimizer:
    """A fresh optimizer, with its variables, for the trainable weights of a model.

    Under the dtype policy mixed_float16 the loss is scaled: a step whose gradient is not finite
    changes no weight and halves the scale.

    Args:
        model: whose weights it will change.
        config: which optimizer.
        learning_rate: the schedule, whose length becomes one of the variables.
    """
    common = {
        "learning_rate": learning_rate,
        "global_clipnorm": config.gradient_clip_norm or None,
    }
    steps = config.gradient_accumulation_steps
    if steps > 1:
        common["gradient_accumulation_steps"] = steps
    if config.ema_momentum is not None:
        # Keras takes the average at every step, not only where the weights change.
        common |= {"use_ema": True, "ema_momentum": config.ema_momentum ** (1 / steps)}
    if config.optimizer == "adamw":
        optimizer = _kind(model, keras.optimizers.AdamW)(weight_decay=config.weight_decay, **common)
        others = [v for v in model.trainable_variables if v.name != "kernel"]
        optimizer.exclude_from_weight_decay(var_list=others)
    else:
        optimizer = _kind(model, keras.optimizers.SGD)(momentum=config.learning_momentum, **common)
    learning_rate.keep_length_in(optimizer)
    if model.dtype_policy.name == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


def restart(optimizer: keras.optimizers.Optimizer) -> None:
    """Puts an optimizer back to where `make_optimizer` left it, with a schedule of no length."""
    for variable in optimizer.variables:
        variable.assign(ops.zeros(variable.shape, variable.dtype))
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer.dynamic_scale.assign(optimizer.initial_scale)


def check_loss_scale(optimizer: keras.optimizers.Optimizer) -> None:
    """Sees to it that training on scaled losses still moves.

    Raises:
        UserError: nearly all steps of late had gradients that were not finite.
    """
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return
    scale = float(ops.convert_to_numpy(optimizer.dynamic_scale))
    if scale < LEAST_LOSS_SCALE:
        raise UserError(
            f"The loss scale of float16 fell to {scale:g}: the gradients are not finite, however "
            "small the loss. Use --set model.precision=bfloat16 or float32, or a smaller "
            "--learning-rate."
        )


def take_averages(model: keras.Model) -> None:
    """Gives the trained weights of a model their averages, if its optimizer keeps any."""
    if not _keeps_averages(model.optimizer):
        return
    variables = model.trainable_variables
    model.optimizer.finalize_variable_values(variables)
    # On JAX weight and average are one buffer now, and a step would delete both.
    for variable in variables:
        variable.assign(ops.convert_to_numpy(variable).copy())


@contextlib.contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Within the block the trained weights of a model are their averages, if there are any."""
    if not _keeps_averages(model.optimizer):
        yield
        return
    variables = model.trainable_variables
    trained = [ops.convert_to_numpy(variable).copy() for variable in variables]
    take_averages(model)
    try:
        yield
    finally:
        for variable, value in zip(variables, trained, strict=True):
            variable.assign(value)


class _ClipsTheSum:
    """Keras clips each device's gradient before it adds them up; this adds them up first."""

    def _clip_gradients(self, grads):
        clipped = super()._clip_gradients(backend.sum_over_devices(list(grads)))
        # They are added up once more, now equal on all devices.
        return [gradient / backend.replicas() for gradient in clipped]


def _kind(model, kind):
    """The class of optimizer for a model, on several devices or one."""
    if (
        keras.backend.backend() != "tensorflow"
        or model.distribute_strategy.num_replicas_in_sync < 2
    ):
        return kind
    return type(kind.__name__, (_ClipsTheSum, kind), {})


def _keeps_averages(optimizer):
    return getattr(optimizer, "inner_optimizer", optimizer).use_ema
