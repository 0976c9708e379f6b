"""What every U-Net must do, whatever its settings."""

import keras
import numpy as np
import pytest
from keras import ops
from small_unet import make_unet

from mrcnn_al.config import UNetConfig
from mrcnn_al.errors import UserError
from mrcnn_al.mask_rcnn.dropout import MonteCarloDropout
from mrcnn_al.weights.layers import weighted_layers

numpy = ops.convert_to_numpy


def training_inputs(model, size=32):
    rng = np.random.default_rng(0)
    class_ids = np.zeros((2, size, size), np.int32)
    class_ids[:, 8:20, 8:20], class_ids[:, 22:30, 4:30] = 1, 2
    images = class_ids[..., None] + rng.normal(0, 0.2, (2, size, size, 3))
    inputs = {"images": images.astype(np.float32), "class_ids": class_ids}
    return {**inputs, "contours": class_ids == 2} if model.config.contours else inputs


@pytest.fixture(scope="class")
def model(request):
    return make_unet(**request.cls.changes)


class UNetCase:
    """Properties of any U-Net; subclasses say which one, and it is built once for each."""

    changes = {}  # noqa: RUF012

    def test_shapes(self, model):
        config = model.config
        skips, bottom = model.encode(np.zeros((2, 32, 64, 3), np.float32))
        assert [tuple(skip.shape) for skip in skips] == [
            (2, 32 // 2**n, 64 // 2**n, config.filters * 2**n) for n in range(config.depth)
        ]
        cell = 2**config.depth
        assert tuple(bottom.shape) == (2, 32 // cell, 64 // cell, config.filters * cell)
        logits, contours = model.decode(skips, bottom)
        assert tuple(logits.shape) == (2, 32, 64, 3)
        assert keras.backend.standardize_dtype(logits.dtype) == "float32"
        assert (contours is None) == (not config.contours)
        assert contours is None or tuple(contours.shape) == (2, 32, 64)

    def test_losses_are_finite_and_named(self, model):
        found = model(training_inputs(model))
        assert set(found) == set(model.loss_weights)
        assert all(np.isfinite(float(numpy(value))) and value > 0 for value in found.values())

    def test_weights_come_back_bit_by_bit(self, model, tmp_path):
        other = make_unet(seed=1, **self.changes)
        model.save_weights(tmp_path / "weights.h5")
        report = other.load_weights(tmp_path / "weights.h5")
        assert set(report.loaded) == set(weighted_layers(model))
        for ours, theirs in zip(model.weights, other.weights, strict=True):
            np.testing.assert_array_equal(numpy(ours), numpy(theirs), err_msg=ours.path)

    def test_training_lowers_the_loss(self, model):
        jit = keras.backend.backend() == "jax"
        model.compile(optimizer=keras.optimizers.Adam(0.01), jit_compile=jit)
        inputs, found = training_inputs(model), []
        for _ in range(8):
            model.reset_metrics()
            found.append(float(model.train_on_batch(inputs, return_dict=True)["loss"]))
        assert found[-1] < 0.85 * found[0], found


class TestGroup(UNetCase):
    def test_an_image_does_not_change_its_neighbours(self, model):
        images = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)
        together, _ = model.decode(*model.encode(images))
        alone, _ = model.decode(*model.encode(images[1:]))
        np.testing.assert_allclose(numpy(together)[1:], numpy(alone), atol=1e-4)


class TestBatch(UNetCase):
    changes = {"normalization": "batch"}  # noqa: RUF012

    def test_statistics_move_only_in_training(self, model):
        layer = weighted_layers(model)["unet_down1_norm1"]
        before = numpy(layer.moving_mean).copy()
        model(training_inputs(model), training=False)
        np.testing.assert_array_equal(numpy(layer.moving_mean), before)
        model(training_inputs(model), training=True)
        assert (numpy(layer.moving_mean) != before).any()


class TestPlain(UNetCase):
    changes = {"normalization": "none", "contours": False}  # noqa: RUF012


class TestBfloat16(UNetCase):
    changes = {"precision": "bfloat16", "depth": 1}  # noqa: RUF012


def test_dropout_is_in_bottleneck_and_decoder_but_not_before_the_output():
    model = make_unet(depth=3)
    rates = [model.dropout.rate, *(level.dropout.rate for level in model.up)]
    assert rates == [0.5, 0.5, 0.5, 0.0]
    assert all(isinstance(level.dropout, MonteCarloDropout) for level in model.up)


def test_dropout_is_off_in_training_and_on_with_keys():
    model = make_unet()
    skips, bottom = model.encode(np.ones((1, 32, 32, 3), np.float32))
    plain, trained, dropped, other, again = (
        numpy(model.decode(skips, bottom, **options)[0])
        for options in (
            {},
            {"training": True},
            {"keys": np.array([1], np.int32)},
            {"keys": np.array([2], np.int32)},
            {"keys": np.array([1], np.int32)},
        )
    )
    np.testing.assert_array_equal(plain, trained)
    np.testing.assert_array_equal(dropped, again)
    assert (plain != dropped).any()
    assert (dropped != other).any()


def test_sides_must_fit_the_depth():
    with pytest.raises(UserError, match=r"divisible by 4, not \(30, 32\)"):
        make_unet().encode(np.zeros((1, 30, 32, 3), np.float32))


def test_weights_of_another_network_are_refused(tmp_path):
    make_unet(filters=8).save_weights(tmp_path / "other.h5")
    model = make_unet()
    before = [numpy(variable).copy() for variable in model.weights]
    with pytest.raises(UserError, match="nothing was loaded"):
        model.load_weights(tmp_path / "other.h5")
    for variable, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(numpy(variable), value)


def test_weights_of_other_classes_can_be_loaded_without_the_last_layer(tmp_path):
    make_unet(num_classes=5).save_weights(tmp_path / "five.h5")
    report = make_unet().load_weights(tmp_path / "five.h5", exclude=["unet_classes"])
    assert report.excluded == ["unet_classes"]
    with pytest.raises(UserError, match="--exclude unet_classes"):
        make_unet().load_weights(tmp_path / "five.h5", exclude=["heads"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 7}, "depth is 7"),
        ({"normalization": "frozen_batch"}, "normalization is 'frozen_batch'"),
        ({"image_min_dim": 100}, "image_min_dim is 100; it must be divisible by 64"),
        ({"cross_entropy_loss_weight": 0, "dice_loss_weight": 0}, "cannot both be 0"),
    ],
)
def test_settings_that_cannot_be(changes, message):
    with pytest.raises(UserError, match=message):
        UNetConfig.preset("cpu", **changes)
