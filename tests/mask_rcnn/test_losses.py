"""The five losses and their gradients against the reference's."""

import keras
import numpy as np
import pytest
from gradients import differentiate
from keras import ops

from mrcnn_al.mask_rcnn import losses


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "parity" / "units" / "losses.npz")


def rpn_class(golden, predicted):
    return losses.rpn_class_loss(golden["rpn_match"][..., 0], predicted)


def rpn_bbox(golden, predicted):
    return losses.rpn_bbox_loss(golden["rpn_target_bbox"], golden["rpn_match"][..., 0], predicted)


def mrcnn_class(golden, predicted):
    return losses.mrcnn_class_loss(
        golden["target_class_ids"], predicted, golden["active_class_ids"], by_image=False
    )


def mrcnn_bbox(golden, predicted):
    return losses.mrcnn_bbox_loss(golden["target_bbox"], golden["target_class_ids"], predicted)


def mrcnn_mask(golden, predicted):
    class_ids = ops.convert_to_tensor(golden["mask_target_class_ids"])
    index = ops.maximum(class_ids, 0)[..., None, None, None]
    predicted = ops.take_along_axis(predicted, index, axis=-1)[..., 0]
    return losses.mrcnn_mask_loss(golden["mask_target_masks"], class_ids, predicted)


CASES = [
    (rpn_class, "rpn_class_logits", "rpn_class_loss"),
    (rpn_bbox, "rpn_bbox", "rpn_bbox_loss"),
    (mrcnn_class, "mrcnn_class_logits", "mrcnn_class_loss"),
    (mrcnn_bbox, "mrcnn_bbox", "mrcnn_bbox_loss"),
    (mrcnn_mask, "mrcnn_mask", "mrcnn_mask_loss"),
    (mrcnn_mask, "mrcnn_mask_nosat", "mrcnn_mask_nosat_loss"),
]
NAMES = [expected for _, _, expected in CASES]


@pytest.mark.parametrize(("loss", "predicted", "expected"), CASES, ids=NAMES)
def test_value_as_the_reference(golden, loss, predicted, expected):
    value = loss(golden, ops.convert_to_tensor(golden[predicted]))
    assert float(value) == pytest.approx(float(golden[expected]), rel=1e-6)


@pytest.mark.parametrize(("loss", "predicted", "expected"), CASES, ids=NAMES)
def test_gradient_as_the_reference(golden, loss, predicted, expected):
    variable = keras.Variable(golden[predicted])
    _, (gradient,) = differentiate(
        lambda: (loss(golden, ops.convert_to_tensor(variable)), {}), [variable]
    )
    theirs = golden[f"{expected}_grad"]
    np.testing.assert_allclose(gradient, theirs, atol=1e-6 * np.abs(theirs).max())


def test_class_loss_with_all_classes_active(golden):
    value = losses.mrcnn_class_loss(
        golden["target_class_ids"],
        ops.convert_to_tensor(golden["mrcnn_class_logits"]),
        np.ones_like(golden["active_class_ids"]),
        by_image=False,
    )
    assert float(value) == pytest.approx(float(golden["mrcnn_class_loss_all_active"]), rel=1e-6)


def test_class_loss_by_image_looks_at_each_images_own_classes(golden):
    rows = [slice(0, 1), slice(1, 2)]
    logits = golden["mrcnn_class_logits"]
    sums, counts = zip(*(class_loss_terms(golden, logits, row) for row in rows), strict=True)
    value = losses.mrcnn_class_loss(
        golden["target_class_ids"], logits, golden["active_class_ids"], by_image=True
    )
    assert float(value) == pytest.approx(sum(sums) / sum(counts), rel=1e-5)
    assert float(value) != pytest.approx(float(golden["mrcnn_class_loss"]), rel=1e-3)


def class_loss_terms(golden, logits, row):
    active, logits = golden["active_class_ids"][row][0], logits[row][0]
    counts = active[logits.argmax(axis=1)] > 0
    log_share = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    targets = golden["target_class_ids"][row][0]
    return -log_share[np.arange(len(logits)), targets][counts].sum(), counts.sum()


def test_nothing_to_learn_from_costs_nothing(golden):
    golden = {name: ops.convert_to_tensor(golden[name]) for name in golden}
    zeros = ops.zeros_like
    match, classes = zeros(golden["rpn_match"][..., 0]), zeros(golden["target_class_ids"])
    mask_classes = zeros(golden["mask_target_class_ids"])
    values = {
        "rpn_class_loss": losses.rpn_class_loss(match, golden["rpn_class_logits"]),
        "rpn_bbox_loss": losses.rpn_bbox_loss(golden["rpn_target_bbox"], match, golden["rpn_bbox"]),
        "mrcnn_bbox_loss": losses.mrcnn_bbox_loss(
            golden["target_bbox"], classes, golden["mrcnn_bbox"]
        ),
        "mrcnn_mask_loss": losses.mrcnn_mask_loss(
            golden["mask_target_masks"], mask_classes, golden["mrcnn_mask"][..., 0]
        ),
    }
    for name, value in values.items():
        assert float(value) == float(golden[f"{name}_none"]) == 0


def test_smooth_l1_as_the_reference(golden):
    ours = ops.convert_to_numpy(losses.smooth_l1(ops.convert_to_tensor(golden["smooth_l1_diff"])))
    np.testing.assert_allclose(ours, golden["smooth_l1"], rtol=1e-6)
