"""One batch shared by several devices, through the framework's own mechanism.

On TensorFlow that is tf.distribute.MirroredStrategy: each device takes its rows of the batch,
and losses are averages over the whole batch, as their denominators are summed over the devices
(mrcnn_al.ops.backend.sum_over_devices). On JAX it is keras.distribution.DataParallel: the
program is the one for a single device, and XLA divides the work. Either way the losses are those
of one device, but for the order of additions; normalisation by batch statistics, of each
device's own rows on TensorFlow, is the exception.
"""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np

from mrcnn_al.config import TrainingConfig
from mrcnn_al.errors import UserError


@contextlib.contextmanager
def sharing(count: int) -> Iterator[None]:
    """A model that is made within the block can be trained on so many devices.

    On JAX the distribution stays in force for the whole process, as Keras has it.

    Args:
        count: TrainingConfig.devices; 1 changes nothing.

    Raises:
        UserError: there are fewer devices, or the backend has no such mechanism here.
    """
    if count == 1:
        yield
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        names = _first([device.name for device in tf.config.list_logical_devices(kind)], count)
        with tf.distribute.MirroredStrategy(names).scope():
            yield
    elif keras.backend.backend() == "jax":
        names = _first(keras.distribution.list_devices(), count)
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=names))
        yield
    else:
        raise UserError(
            f"training.devices is {count}; with Keras on {keras.backend.backend()} it must be 1. "
            "TensorFlow and JAX can use several."
        )


def check(model: keras.Model, config: TrainingConfig) -> None:
    """Sees to it that a model can be trained as its settings say.

    Raises:
        UserError: it was made for another number of devices, or for several with something that
            Keras does not do on several.
    """
    made_for = _count(model)
    if made_for != config.devices:
        raise UserError(
            f"The model was made for {made_for} devices, and training.devices is "
            f"{config.devices}: make it within mrcnn_al.training.devices.sharing."
        )
    if made_for == 1 or keras.backend.backend() != "tensorflow":
        return
    if config.gradient_accumulation_steps > 1 or model.config.precision == "float16":
        raise UserError(
            "On several devices of TensorFlow, Keras can neither accumulate gradients nor scale "
            "the loss of float16: use gradient_accumulation_steps=1 and bfloat16, one device, or "
            "JAX."
        )


def scope(model: keras.Model) -> contextlib.AbstractContextManager:
    """Where the variables of a model's optimizer are to be made."""
    strategy = _strategy(model)
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def train_step(model: keras.Model, inputs: dict) -> dict[str, float]:
    """One step on a batch, which the devices share; the losses by name."""
    if _strategy(model) is None:
        return model.train_on_batch(inputs, return_dict=True)
    model.make_train_function()
    return _run(model, model.train_function, inputs)


def test_step(model: keras.Model, inputs: dict) -> dict[str, float]:
    """As `train_step`, but nothing changes."""
    if _strategy(model) is None:
        return model.test_on_batch(inputs, return_dict=True)
    model.make_test_function()
    return _run(model, model.test_function, inputs)


def _run(model, function, inputs):
    # train_on_batch itself would give the whole batch to every device.
    import tensorflow as tf

    strategy = _strategy(model)
    parts = {n: np.split(rows, strategy.num_replicas_in_sync) for n, rows in inputs.items()}
    shared = {
        name: strategy.experimental_distribute_values_from_function(
            lambda context, name=name: tf.constant(parts[name][context.replica_id_in_sync_group])
        )
        for name in inputs
    }
    model.reset_metrics()
    return {name: float(v) for name, v in function(iter([(shared, None, None)])).items()}


def _strategy(model):
    if keras.backend.backend() != "tensorflow" or _count(model) == 1:
        return None
    return model.distribute_strategy


def _count(model):
    if keras.backend.backend() == "tensorflow":
        return model.distribute_strategy.num_replicas_in_sync
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.device_mesh.devices.size


def _first(names, count):
    if len(names) < count:
        raise UserError(f"training.devices is {count}, but there are {len(names)}: {names}.")
    return names[:count]
