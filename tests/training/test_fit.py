from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops

from mrcnn_al.config import ModelConfig, TrainingConfig
from mrcnn_al.datasets.toy_image import draw_image
from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances
from mrcnn_al.mask_rcnn.model import LOSS_NAMES, MaskRCNN
from mrcnn_al.ops.backend import make_deterministic
from mrcnn_al.training.fit import Fitter, WarmupSchedule
from mrcnn_al.weights.layers import weighted_layers

MODEL = ModelConfig.preset(
    "cpu",
    num_classes=4,
    image_min_dim=64,
    image_max_dim=64,
    top_down_pyramid_size=16,
    rpn_channels=16,
    fpn_classif_fc_layers_size=64,
    mask_head_channels=8,
    mask_head_convolutions=1,
    post_nms_rois_training=50,
    train_rois_per_image=16,
    max_gt_instances=12,
)
HEADS = TrainingConfig.preset("cpu", epochs=2, images_per_batch=2, layers="heads", warmup_steps=2)


def load(number):
    return draw_image(np.random.default_rng(number), 64)


def values(model):
    return [ops.convert_to_numpy(v).copy() for v in model.weights]


def assign(model, arrays):
    for variable, value in zip(model.weights, arrays, strict=True):
        variable.assign(value)


def assert_same(arrays, others):
    for array, other in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(array, other)


class Fitted:
    """A fitter and its model, with the weights from before any fit."""

    def __init__(self, training, **changes):
        keras.utils.set_random_seed(0)
        self.model = MaskRCNN(replace(MODEL, **changes))
        self.start = values(self.model)
        self.fitter = Fitter(self.model, training)

    def fit(self, image_ids=(1, 2, 3, 4), seed=3, load=load):
        """Fits from the start; the history without times, and the weights."""
        assign(self.model, self.start)
        history = self.fitter.fit(image_ids, load, seed)
        return [{k: v for k, v in row.items() if k != "seconds"} for row in history], values(
            self.model
        )


@pytest.fixture(scope="module")
def fitted():
    return Fitted(HEADS)


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


def test_warm_up_and_cosine():
    schedule = WarmupSchedule(0.02, 50, "cosine", 1050)
    assert rates(schedule, [0, 24, 49]) == pytest.approx([0.0004, 0.01, 0.02], rel=1e-5)
    assert rates(schedule, [50, 300, 550, 800]) == pytest.approx(
        [0.02, 0.01 + 0.01 * 0.5**0.5, 0.01, 0.01 - 0.01 * 0.5**0.5], rel=1e-4
    )
    assert rates(schedule, [1050, 2000]) == pytest.approx([0, 0], abs=1e-8)
    assert rates(schedule, [1049])[0] > 0


def test_warm_up_and_constant():
    schedule = WarmupSchedule(0.1, 4, "constant", 100)
    expected = [0.025, 0.05, 0.075, 0.1, 0.1, 0.1]
    assert rates(schedule, [0, 1, 2, 3, 4, 99]) == pytest.approx(expected)


def test_without_warm_up():
    assert rates(WarmupSchedule(0.1, 0, "constant", 5), [0, 4]) == pytest.approx([0.1, 0.1])


def test_warm_up_is_a_fifth_at_most():
    schedule = WarmupSchedule(0.1, 50, "constant", 10)
    assert rates(schedule, [0, 1, 2]) == pytest.approx([0.05, 0.1, 0.1])


def test_a_schedule_of_another_length():
    schedule = WarmupSchedule(0.1, 0, "cosine", 10)
    schedule.total_steps.assign(20)
    assert rates(schedule, [10]) == pytest.approx([0.05])
    copy = WarmupSchedule.from_config(schedule.get_config())
    assert rates(copy, range(20)) == pytest.approx(rates(schedule, range(20)))


def test_history(fitted):
    history, _ = fitted.fit()
    assert [row["epoch"] for row in history] == [1, 2]
    assert list(history[0]) == ["epoch", "loss", *LOSS_NAMES, "learning_rate"]
    for row in history:
        assert row["loss"] >= sum(row[name] for name in LOSS_NAMES) > 0
    assert history[-1]["learning_rate"] == pytest.approx(0, abs=1e-8)


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


def test_a_second_fit_is_as_one_of_a_new_fitter(fitted):
    make_deterministic(0)
    fitted.fit(image_ids=(5, 6, 7), seed=9)
    _, again = fitted.fit()
    new = Fitted(HEADS)
    _, fresh = new.fit()
    assert_same(again, fresh)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="counts TensorFlow's traces")
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


def test_steps_per_epoch():
    training = replace(HEADS, epochs=1, steps_per_epoch=3, warmup_steps=0, schedule="constant")
    loaded = []

    def counting(number):
        loaded.append(number)
        return load(number)

    Fitted(training).fit(load=counting)
    assert len(loaded) == 6


def test_no_epoch_changes_nothing():
    fitted = Fitted(TrainingConfig.preset("cpu", epochs=0))
    assert fitted.fit()[0] == []
    assert_same(values(fitted.model), fitted.start)


def test_nothing_to_train_on(fitted):
    with pytest.raises(UserError, match="no labelled image"):
        fitted.fit(image_ids=())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_no_number_is_an_error(fitted, bad):
    start = fitted.start
    kernel = weighted_layers(fitted.model)["fpn_p2"].variables[0]
    position = next(i for i, v in enumerate(fitted.model.weights) if v is kernel)
    fitted.start = [np.full_like(a, bad) if i == position else a for i, a in enumerate(start)]
    try:
        with pytest.raises(UserError, match=r"loss is (nan|inf) at step 1 of epoch 1.*--learning"):
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
        return load(number)[0], Instances.empty(64, 64)

    history, _ = fitted.fit(load=empty)
    assert history[-1]["mrcnn_mask_loss"] == 0
    assert np.isfinite(history[-1]["loss"])


@pytest.mark.slow
def test_it_learns_four_images_by_heart():
    training = TrainingConfig(
        epochs=50, images_per_batch=2, learning_rate=0.02, mean_weight_decay=False, warmup_steps=5
    )
    history, _ = Fitted(training, normalization="group").fit()
    first = history[0]
    last = {name: np.mean([row[name] for row in history[-5:]]) for name in first}
    # Box and mask losses are 0 in a batch without a positive RoI, as there are in the beginning.
    assert last["loss"] < 0.85 * first["loss"]
    assert last["rpn_class_loss"] < 0.5 * first["rpn_class_loss"]
    assert last["rpn_bbox_loss"] < 0.7 * first["rpn_bbox_loss"]
    assert last["mrcnn_class_loss"] < 0.8 * first["mrcnn_class_loss"]
