"""Half precision gives what float32 gives, to its few digits; what needs more has more."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import ops
from small_model import IMAGES, TRAINING, assign, batch, load, make_model, values

from mrcnn_al.errors import UserError
from mrcnn_al.mask_rcnn.network import LOSS_NAMES
from mrcnn_al.training.fit import Fitter

HALF = ("bfloat16", "float16")
# Their spacing at 1.
DIGITS = {"bfloat16": 2.0**-7, "float16": 2.0**-10}


@pytest.fixture(scope="module")
def whole():
    return make_model()


@pytest.fixture(scope="module", params=HALF)
def half(request, whole):
    model = make_model(precision=request.param)
    assign(model, values(whole))
    return model


def image():
    return load(1)[0][:64, :64]


def test_the_policy_is_the_model_s_alone(half):
    assert keras.config.dtype_policy().name == "float32"
    assert half.dtype_policy.name == f"mixed_{half.config.precision}"
    assert half.backbone.layers[1].compute_dtype == half.config.precision
    assert half.mask_head.blocks[0].convolution.compute_dtype == half.config.precision
    assert {variable.dtype for variable in half.trainable_variables} == {"float32"}
    assert make_model().backbone.layers[1].compute_dtype == "float32"


def test_what_comes_out_is_float32(half):
    inputs = batch(half)
    pyramid = half.pyramid(inputs["images"])
    assert pyramid[0].dtype == getattr(ops.zeros((), half.config.precision), "dtype", None)
    logits, deltas = half.region_proposals(pyramid)
    rois = half.proposals(logits, deltas, (64, 64), inference=True)
    pooled = half.pool_batch(pyramid, rois, (64, 64), 7)
    outputs = [logits, deltas, rois, *half.classifier_head(pooled)]
    outputs.append(half.mask_head(half.pool_batch(pyramid, rois, (64, 64), 14)))
    outputs += half(inputs).values()
    for output in outputs:
        assert keras.backend.standardize_dtype(output.dtype) == "float32"


def test_outputs_have_all_digits(half):
    """Rounded, half of the scores of so many anchors would occur twice."""
    logits, deltas = half.region_proposals(half.pyramid(batch(half)["images"]))
    for output in (logits, deltas):
        numbers = ops.convert_to_numpy(output).ravel()
        rounded = ops.convert_to_numpy(
            ops.cast(ops.cast(numbers, half.config.precision), "float32")
        )
        assert (numbers != rounded).mean() > 0.9


def test_a_sure_mask_is_not_rounded_to_certainty(half):
    masks = half.mask_head.masks
    kernel, bias = (ops.convert_to_numpy(v).copy() for v in masks.variables)
    masks.bias.assign(ops.full(bias.shape, 9.0))
    masks.kernel.assign(ops.zeros(kernel.shape))
    try:
        found = half.mask_head(np.zeros((1, 14, 14, half.config.top_down_pyramid_size), np.float32))
    finally:
        masks.bias.assign(bias)
        masks.kernel.assign(kernel)
    np.testing.assert_allclose(1 - ops.convert_to_numpy(found), 1 / (1 + np.exp(9.0)), rtol=1e-2)


def test_the_losses_are_close(whole, half):
    """The RPN's closely; those of the heads are of proposals that may be others."""
    inputs = batch(whole)
    ours, theirs = half(inputs), whole(inputs)
    error = 4 * DIGITS[half.config.precision]
    for name in LOSS_NAMES[:2]:
        value, other = (float(ops.convert_to_numpy(losses[name])) for losses in (ours, theirs))
        assert value == pytest.approx(other, rel=error)
    rois = np.tile(np.array([[0.1, 0.2, 0.6, 0.7], [0.3, 0.0, 0.9, 0.5]], np.float32), (2, 1, 1))
    rois = ops.convert_to_tensor(rois)
    rng = np.random.default_rng(0)
    targets = (
        rois,
        np.array([[1, 2], [3, 1]], np.int32),
        rng.normal(0, 1, (2, 2, 4)).astype(np.float32),
        rng.integers(0, 2, (2, 2, 28, 28)).astype(np.float32),
        inputs["active_class_ids"],
        (64, 64),
    )
    ours, theirs = (
        model.second_stage_losses(model.pyramid(inputs["images"]), *targets)
        for model in (half, whole)
    )
    for name in LOSS_NAMES[2:]:
        value, other = (float(ops.convert_to_numpy(losses[name])) for losses in (ours, theirs))
        assert value == pytest.approx(other, rel=error)


def test_boxes_and_scores_are_close(whole, half):
    """Of the same proposals, what the heads make of them."""
    images = batch(whole)["images"]
    rois = np.tile(np.array([[0.1, 0.2, 0.6, 0.7], [0.3, 0.0, 0.9, 0.5]], np.float32), (2, 1, 1))
    rois = ops.convert_to_tensor(rois)
    windows = ops.convert_to_tensor(np.tile(np.array([0, 0, 1, 1], np.float32), (2, 1)))
    found = []
    for model in (half, whole):
        pooled = model.pool_batch(model.pyramid(images), rois, (64, 64), 7)
        logits, deltas = model.classifier_head(pooled)
        logits = ops.reshape(logits, (2, 2, -1))
        deltas = ops.reshape(deltas, (2, 2, -1, 4))
        # The class is fixed, as that of two close scores may change.
        logits = logits + ops.convert_to_tensor(10 * np.eye(4, dtype=np.float32)[2])
        found.append(
            [
                ops.convert_to_numpy(x)
                for x in model.detections(rois, logits, deltas, windows, np.float32(0))
            ]
        )
    (boxes, ids, scores, _), (other_boxes, other_ids, other_scores, _) = found
    assert (ids == other_ids).all()
    assert (ids[:, :1] == 2).all()
    error = 4 * DIGITS[half.config.precision]
    np.testing.assert_allclose(scores, other_scores, rtol=error)
    np.testing.assert_allclose(boxes, other_boxes, atol=error)


def test_detection_and_sampling_run(half):
    (found,) = half.detect([image()])
    ((sampled,),) = half.sample([image()], passes=1)
    assert np.isfinite(found["scores"]).all()
    assert np.isfinite(sampled["probabilities"]).all()


CLOSE = replace(TRAINING, epochs=6, learning_rate=0.01, schedule="constant", warmup_steps=0)


def trained(precision):
    """A model from its start, its fitter, its first weights and the last loss of the RPN."""
    model = make_model(precision=precision)
    start, fitter = values(model), Fitter(model, CLOSE)
    fitter._restart(1)
    if precision == "float16":
        # So small that no step is skipped; JAX makes a new optimizer, and skips one or two.
        model.optimizer.initial_scale = 2.0**8
    history = fitter.fit(IMAGES, load, 3)
    assert all(np.isfinite(row["loss"]) for row in history)
    return model, fitter, start, history[-1]["rpn_class_loss"]


@pytest.fixture(scope="module")
def loss_of_float32():
    return trained("float32")[-1]


@pytest.mark.slow
def test_training_in_bfloat16_is_close_to_float32(loss_of_float32):
    assert trained("bfloat16")[-1] == pytest.approx(loss_of_float32, rel=0.1)


@pytest.mark.slow
@pytest.mark.every_backend
def test_training_in_float16_is_close_to_float32(loss_of_float32):
    model, fitter, start, loss = trained("float16")
    assert loss == pytest.approx(loss_of_float32, rel=0.1)
    if keras.backend.backend() != "jax":
        # Steps that overflow are skipped until the scale fits, and none passes for a NaN loss.
        assert int(model.optimizer.iterations) == 12
        model.optimizer.initial_scale = 2.0**30
        assign(model, start)
        history = fitter.fit(IMAGES, load, 3)
        assert all(np.isfinite(row["loss"]) for row in history)
        assert float(model.optimizer.dynamic_scale) < 2.0**30
        assert int(model.optimizer.iterations) < 12


def test_unknown_precision():
    with pytest.raises(UserError, match="precision"):
        make_model(precision="float8")
