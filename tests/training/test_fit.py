import struct
from dataclasses import replace

import keras
import numpy as np
import pixel_training
import pytest
from small_model import (
    MODEL,
    assert_same,
    assign,
    batch,
    load,
    make_model,
    values,
    without_times,
)

from mrcnn_al.config import TrainingConfig
from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances
from mrcnn_al.mask_rcnn.network import LOSS_NAMES
from mrcnn_al.model import MaskRCNN
from mrcnn_al.ops.determinism import make_deterministic
from mrcnn_al.training.fit import Fitter
from mrcnn_al.weights.layers import weighted_layers

HEADS = TrainingConfig.preset("cpu", epochs=2, images_per_batch=2, layers="heads", warmup_steps=2)


class Fitted:
    """A fitter and its model, with the weights from before any fit."""

    def __init__(self, training, make_model=make_model, make_fitter=Fitter):
        make_deterministic(0)
        self.model = make_model()
        self.start = values(self.model)
        self.fitter = make_fitter(self.model, training)

    def fit(self, image_ids=(1, 2, 3, 4), seed=3, load=load, **options):
        """Fits from the start; the history without times, and the weights."""
        assign(self.model, self.start)
        history = self.fitter.fit(image_ids, load, seed, **options)
        return without_times(history), values(self.model)


@pytest.fixture(scope="module")
def fitted():
    return Fitted(HEADS)


def test_history(fitted):
    history, _ = fitted.fit()
    assert [row["epoch"] for row in history] == [1, 2]
    assert list(history[0]) == ["epoch", "loss", *LOSS_NAMES, "learning_rate"]
    for row in history:
        assert row["loss"] >= sum(row[name] for name in LOSS_NAMES) > 0
    assert history[-1]["learning_rate"] == pytest.approx(0, abs=1e-8)


def test_validation_and_times(fitted):
    assign(fitted.model, fitted.start)
    history = fitted.fitter.fit((1, 2, 3, 4), load, 3, validation_ids=(11, 12, 13))
    for row in history:
        assert 0 <= row["waiting_seconds"] <= row["seconds"]
        assert row["val_loss"] > 0
    # Looking does not change what is looked at.
    seen = [{k: v for k, v in row.items() if k != "val_loss"} for row in without_times(history)]
    assert seen == fitted.fit()[0]


def test_tensorboard(tmp_path):
    """Losses and learning rate of every step, validation and times of every epoch."""
    training = replace(HEADS, tensorboard=True)
    fitter = pixel_training.Fitter(pixel_training.make_model(), training)
    with pytest.raises(UserError, match="tensorboard needs a folder"):
        fitter.fit((1, 2, 3, 4), load, 3)
    history = fitter.fit((1, 2, 3, 4), load, 3, validation_ids=(11,), log_folder=tmp_path)
    (path,) = tmp_path.glob("events.out.tfevents.*")
    written = path.read_bytes()
    assert written.count(b"train/cross_entropy_loss") == 4
    assert written.count(b"train/learning_rate") == 4
    assert written.count(b"epoch/waiting_seconds") == 2
    position = written.rindex(b"epoch/val_loss") + len(b"epoch/val_loss") + 1
    stored = struct.unpack("<f", written[position : position + 4])
    assert stored == (pytest.approx(history[-1]["val_loss"]),)


def test_only_selected_layers_change(fitted):
    fitted.fit()
    after = values(fitted.model)
    changed = {
        id(v)
        for v, a, b in zip(fitted.model.weights, fitted.start, after, strict=True)
        if (a != b).any()
    }
    backbone = {id(v) for v in fitted.model.backbone.weights}
    assert changed
    assert not changed & backbone
    assert all(id(v) in changed for v in weighted_layers(fitted.model)["rpn_class_raw"].variables)


@pytest.mark.every_backend
def test_a_second_fit_is_as_the_first(fitted):
    """The optimizer starts afresh, its velocities and its step count, and nothing else does."""
    make_deterministic(0)
    first_history, first = fitted.fit()
    fitted.fit(image_ids=(5, 6), seed=9)
    again_history, again = fitted.fit()
    assert_same(first, again)
    assert first_history == again_history
    _, other = fitted.fit(seed=4)
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_a_second_fit_is_as_one_of_a_new_fitter():
    fitted, new = (
        Fitted(HEADS, pixel_training.make_model, pixel_training.Fitter) for _ in range(2)
    )
    fitted.fit(image_ids=(5, 6, 7), seed=9)
    _, again = fitted.fit()
    _, fresh = new.fit()
    assert_same(again, fresh)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="there is nothing to compile")
def test_nothing_is_compiled_twice(fitted):
    calls = []
    original = fitted.model.compute_loss
    fitted.fit()
    fitted.model.compute_loss = lambda *a, **k: calls.append(1) or original(*a, **k)
    try:
        fitted.fit(image_ids=(1, 2, 3, 4, 5, 6))
    finally:
        del fitted.model.compute_loss
    assert not calls


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow")
def test_no_sum_of_the_gradients_has_more_than_two_terms(fitted):
    """Chance may order the terms of a longer one; see mrcnn_al.ops.determinism."""
    import tensorflow as tf

    inputs = batch(fitted.model)
    fitted.fit()
    step = tf.function(lambda: fitted.model.train_step(inputs), autograph=False)
    operations = step.get_concrete_function().graph.get_operations()
    assert {len(op.inputs) for op in operations if op.type == "AddN"} == {2}


def test_steps_per_epoch():
    training = replace(HEADS, epochs=1, steps_per_epoch=3, warmup_steps=0, schedule="constant")
    loaded = []

    def counting(number):
        loaded.append(number)
        return load(number)

    pixel_training.fit(training, load=counting)
    assert len(loaded) == 6


def test_no_epoch_changes_nothing():
    fitted = Fitted(TrainingConfig.preset("cpu", epochs=0))
    assert fitted.fit()[0] == []
    assert_same(values(fitted.model), fitted.start)


def test_nothing_to_train_on(fitted):
    with pytest.raises(UserError, match="no labelled image"):
        fitted.fit(image_ids=())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.every_backend
def test_a_loss_that_is_no_number_is_an_error(fitted, bad):
    start = fitted.start
    kernel = weighted_layers(fitted.model)["fpn_p2"].variables[0]
    position = next(i for i, v in enumerate(fitted.model.weights) if v is kernel)
    fitted.start = [np.full_like(a, bad) if i == position else a for i, a in enumerate(start)]
    try:
        with pytest.raises(UserError, match=r"loss is (nan|inf) at step 1 of epoch 1, of"):
            fitted.fit(image_ids=tuple(range(1, 25)))
    finally:
        fitted.start = start


def test_an_image_that_cannot_be_loaded_is_reported(fitted):
    def broken(number):
        if number == 3:
            raise UserError("The image 3 is cut off.")
        return load(number)

    with pytest.raises(UserError, match="image 3 is cut off"):
        fitted.fit(load=broken)


def test_images_without_instances_can_be_trained_on(fitted):
    def empty(number):
        return load(number)[0], Instances.empty(80, 80)

    history, _ = fitted.fit(load=empty)
    assert history[-1]["mrcnn_mask_loss"] == 0
    assert np.isfinite(history[-1]["loss"])


@pytest.mark.slow
@pytest.mark.repetition
def test_it_learns_four_images_by_heart():
    training = TrainingConfig(
        epochs=100, images_per_batch=2, learning_rate=0.02, mean_weight_decay=False, warmup_steps=5
    )
    keras.utils.set_random_seed(0)
    model = MaskRCNN(replace(MODEL, normalization="group", fpn_classif_fc_layers_size=64))
    history = Fitter(model, training).fit((1, 2, 3, 4), load, 3)
    first = history[0]
    last = {name: np.mean([row[name] for row in history[-5:]]) for name in first}
    # Box and mask losses are 0 in a batch without a positive RoI, as there are in the beginning.
    assert last["loss"] < 0.85 * first["loss"]
    assert last["rpn_class_loss"] < 0.5 * first["rpn_class_loss"]
    assert last["rpn_bbox_loss"] < 0.7 * first["rpn_bbox_loss"]
    assert last["mrcnn_class_loss"] < 0.8 * first["mrcnn_class_loss"]
