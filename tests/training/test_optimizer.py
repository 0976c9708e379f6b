"""Optimizers, what they accumulate and what they average."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops
from pixel_training import Fitter, fit, make_model
from small_model import IMAGES, TRAINING, VALIDATION, assert_same, assign, load, values

from mrcnn_al.config import TrainingConfig
from mrcnn_al.errors import UserError
from mrcnn_al.mask_rcnn.precision import layers_in
from mrcnn_al.training.optimizer import (
    LEAST_LOSS_SCALE,
    averaged_weights,
    check_loss_scale,
    make_optimizer,
    restart,
)
from mrcnn_al.training.schedule import WarmupSchedule

PLAIN = TrainingConfig(images_per_batch=2, weight_decay=0.0, learning_rate=0.1, epochs=1)


def dense_model():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((3,)), *layers])


def made_optimizer(model, config):
    schedule = WarmupSchedule(0.1, 0, "constant", 10)
    model.compile(optimizer=make_optimizer(model, config, schedule), auto_scale_loss=False)
    return model.optimizer


def gradients(model, seed, size=1.0):
    rng = np.random.default_rng(seed)
    return [rng.normal(0, size, v.shape).astype(np.float32) for v in model.trainable_variables]


def updated(config, steps, change=lambda model: None):
    """The model after the optimizer got some lists of gradients, one each step."""
    model = dense_model()
    change(model)
    optimizer = made_optimizer(model, config)
    for step in steps:
        optimizer.apply([ops.convert_to_tensor(g) for g in step], model.trainable_variables)
    return model


def weights(model):
    return [ops.convert_to_numpy(v).copy() for v in model.trainable_variables]


def test_adamw_shrinks_kernels_alone():
    """With gradients of zero only the decay is left."""
    config = replace(PLAIN, optimizer="adamw", weight_decay=0.5)
    start = dense_model()
    zero = [[np.zeros(v.shape, np.float32) for v in start.trainable_variables]] * 3
    ones = lambda model: assign(model, [np.ones(v.shape, np.float32) for v in model.weights])
    model = updated(config, zero, change=ones)
    for variable in model.trainable_variables:
        kernel = variable.name == "kernel"
        expected = 0.95**3 if kernel else 1.0
        np.testing.assert_allclose(ops.convert_to_numpy(variable), expected, rtol=1e-6)


def test_adamw_is_adam_besides():
    """Of the first step the size is the rate, whatever the gradient (Kingma and Ba 2015)."""
    config = replace(PLAIN, optimizer="adamw", gradient_clip_norm=0.0)
    step = gradients(dense_model(), 1)
    for before, after, gradient in zip(
        weights(dense_model()), weights(updated(config, [step])), step, strict=True
    ):
        np.testing.assert_allclose(before - after, 0.1 * np.sign(gradient), rtol=1e-3)


def test_the_l2_term_is_off_under_adamw():
    model = make_model()
    Fitter(model, replace(TRAINING, optimizer="adamw", weight_decay=0.1))
    assert float(ops.convert_to_numpy(model.regularization_loss())) == 0
    Fitter(model, replace(TRAINING, optimizer="sgd", weight_decay=0.1))
    assert float(ops.convert_to_numpy(model.regularization_loss())) > 0


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("size", [0.001, 100.0])
def test_what_accumulates_is_clipped_as_one(optimizer, size):
    """Three steps are one with the mean of their gradients, below the limit and above it."""
    config = replace(PLAIN, optimizer=optimizer, weight_decay=0.01, gradient_clip_norm=1.0)
    steps = [gradients(dense_model(), seed, size) for seed in range(6)]
    means = [
        [np.mean(each, axis=0) for each in zip(*three, strict=True)]
        for three in (steps[:3], steps[3:])
    ]
    whole = updated(config, means)
    pieces = updated(replace(config, gradient_accumulation_steps=3), steps)
    for one, other in zip(weights(whole), weights(pieces), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    moved = np.abs(weights(whole)[0] - weights(dense_model())[0]).max()
    assert moved > 1e-6


def test_a_step_that_only_accumulates_changes_nothing():
    config = replace(PLAIN, gradient_accumulation_steps=3)
    steps = [gradients(dense_model(), seed) for seed in range(2)]
    assert_same(weights(updated(config, steps)), weights(dense_model()))


def test_accumulated_batches_are_as_a_large_one():
    """In a network whose losses average over as much in each batch: here of one image, twice."""
    training = replace(
        TRAINING, epochs=1, steps_per_epoch=2, images_per_batch=1, schedule="constant"
    )
    training = replace(training, warmup_steps=0, layers="all", flips=False, rotations=False)
    training = replace(training, scale_jitter=(1.0, 1.0), brightness_jitter=(1.0, 1.0))
    model = make_model()
    start = values(model)
    fitter = Fitter(model, replace(training, gradient_accumulation_steps=2))
    batch = fitter._maker.make(*load(1), np.random.default_rng(0))
    one = {name: value[None] for name, value in batch.items()}
    two = {name: np.stack([value, value]) for name, value in batch.items()}

    fitter._restart(2)
    for _ in range(2):
        model.train_on_batch(one)
    accumulated = values(model)

    large = make_model()
    assign(large, start)
    fitter = Fitter(large, training)
    fitter._restart(2)
    large.train_on_batch(two)
    changed = 0
    for before, a, b in zip(start, accumulated, values(large), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
        changed += np.abs(a - before).max() > 1e-4
    assert changed > 10


def test_averages():
    """The first is of the first weights alone; batch statistics are not averaged."""
    config = replace(PLAIN, ema_momentum=0.9)
    model = dense_model()
    optimizer = made_optimizer(model, config)
    expected = None
    for seed in range(4):
        step = [ops.convert_to_tensor(g) for g in gradients(model, seed)]
        optimizer.apply(step, model.trainable_variables)
        now = weights(model)
        expected = [
            new if expected is None else 0.9 * old + 0.1 * new
            for old, new in zip(expected or now, now, strict=True)
        ]
    with averaged_weights(model):
        for average, value in zip(weights(model), expected, strict=True):
            np.testing.assert_allclose(average, value, rtol=1e-5, atol=1e-6)
    assert_same(weights(model), now)


def test_validation_and_the_end_are_of_the_averages(tmp_path):
    """The checkpoint holds the weights themselves, the model at the end their averages."""
    training = replace(TRAINING, epochs=1, learning_rate=0.01, ema_momentum=0.5)
    model = make_model()
    fitter = Fitter(model, training)
    path = tmp_path / "checkpoint.npz"
    (row,) = fitter.fit(IMAGES, load, 3, validation_ids=VALIDATION, checkpoint=path)
    averaged = values(model)
    assert fitter._validation_loss(VALIDATION, load, 1) == row["val_loss"]
    with np.load(path) as file:
        trained = [file[f"model/{index}"] for index in range(len(averaged))]
    assert any((a != b).any() for a, b in zip(trained, averaged, strict=True))
    assign(model, trained)
    assert fitter._validation_loss(VALIDATION, load, 1) != row["val_loss"]


def test_a_second_fit_is_as_the_first():
    """Averages, moments, accumulated gradients: all start afresh."""
    training = replace(TRAINING, optimizer="adamw", learning_rate=0.001, ema_momentum=0.9, epochs=1)
    model = make_model()
    start = values(model)
    fitter = Fitter(model, replace(training, gradient_accumulation_steps=2))
    results = []
    for _ in range(2):
        assign(model, start)
        fitter.fit(IMAGES, load, 3)
        results.append(values(model))
    assert_same(*results)


def test_every_epoch_ends_with_an_update():
    """Three images, two a step: two steps, and a third and fourth to make up two updates."""
    loaded = []

    def counting(number):
        loaded.append(number)
        return load(number)

    training = replace(TRAINING, epochs=1, images_per_batch=1, gradient_accumulation_steps=4)
    fit(training, image_ids=(1, 2, 3), load=counting)
    assert len(loaded) == 4
    with pytest.raises(UserError, match="no multiple"):
        replace(training, steps_per_epoch=6)


def half_model():
    with layers_in("float16"):
        return dense_model()


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="Keras scales the loss only inside a JAX training step"
)
def test_a_gradient_that_is_not_finite_is_skipped():
    model = half_model()
    optimizer, before = made_optimizer(model, PLAIN), values(model)
    scale = float(optimizer.dynamic_scale)
    zeros = [ops.zeros(v.shape) for v in model.trainable_variables]
    broken = [ops.full(zeros[0].shape, np.inf), *zeros[1:]]
    optimizer.apply(broken, model.trainable_variables)
    assert_same(values(model), before)
    assert float(optimizer.dynamic_scale) == scale / 2
    assert int(optimizer.iterations) == 0
    optimizer.apply(zeros, model.trainable_variables)
    assert int(optimizer.iterations) == 1
    restart(optimizer)
    assert float(optimizer.dynamic_scale) == scale
    assert int(optimizer.iterations) == 0


def test_a_scale_that_falls_without_end_is_an_error():
    optimizer = made_optimizer(half_model(), PLAIN)
    check_loss_scale(optimizer)
    optimizer.dynamic_scale.assign(LEAST_LOSS_SCALE / 2)
    with pytest.raises(UserError, match="loss scale of float16 fell"):
        check_loss_scale(optimizer)
    check_loss_scale(made_optimizer(dense_model(), PLAIN))
