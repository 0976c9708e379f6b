import numpy as np
import pytest
from keras import ops

from mrcnn_al.unet import losses


def value(loss, *arrays):
    return float(ops.convert_to_numpy(loss(*map(ops.convert_to_tensor, arrays))))


def batch(seed=0, classes=3):
    rng = np.random.default_rng(seed)
    class_ids = rng.integers(0, classes, (2, 4, 5)).astype(np.int32)
    return class_ids, rng.normal(size=(2, 4, 5, classes)).astype(np.float32)


def softmax(logits):
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def test_cross_entropy():
    class_ids, logits = batch()
    chosen = np.take_along_axis(softmax(logits), class_ids[..., None], axis=-1)
    expected = -np.log(chosen).mean()
    assert value(losses.cross_entropy_loss, class_ids, logits) == pytest.approx(expected, rel=1e-5)


def test_dice():
    """Of both classes in the first image, of one in the second."""
    class_ids, logits = batch()
    class_ids[1][class_ids[1] == 2] = 0
    p, coefficients = softmax(logits), []
    for image, class_id in ((0, 1), (0, 2), (1, 1)):
        true = class_ids[image] == class_id
        chances = p[image, ..., class_id]
        coefficients.append((2 * chances[true].sum() + 1) / (chances.sum() + true.sum() + 1))
    expected = 1 - np.mean(coefficients)
    assert value(losses.dice_loss, class_ids, logits) == pytest.approx(expected, rel=1e-5)


def test_a_perfect_prediction_costs_nothing():
    class_ids, _ = batch()
    logits = 50.0 * np.eye(3, dtype=np.float32)[class_ids]
    contours = class_ids > 0
    outline_logits = np.where(contours, 50, -50).astype(np.float32)
    assert value(losses.cross_entropy_loss, class_ids, logits) < 1e-6
    assert value(losses.dice_loss, class_ids, logits) < 1e-6
    assert value(losses.contour_loss, class_ids, contours, outline_logits) < 1e-6


def test_ignored_pixels_do_not_count():
    class_ids, logits = batch()
    class_ids[:, 0] = -1
    contours = np.zeros(class_ids.shape, bool)
    others = logits.copy()
    others[:, 0] += np.random.default_rng(1).normal(size=others[:, 0].shape)
    for loss in (losses.cross_entropy_loss, losses.dice_loss):
        expected = value(loss, class_ids, logits)
        assert value(loss, class_ids, others) == pytest.approx(expected, rel=1e-6)
    expected = value(losses.contour_loss, class_ids, contours, logits[..., 0])
    found = value(losses.contour_loss, class_ids, contours, others[..., 0])
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("class_id", [0, -1])
def test_nothing_to_learn_from_costs_nothing_of_dice(class_id):
    _, logits = batch()
    class_ids = np.full((2, 4, 5), class_id, np.int32)
    assert value(losses.dice_loss, class_ids, logits) == 0
    if class_id < 0:
        assert value(losses.cross_entropy_loss, class_ids, logits) == 0
        assert value(losses.contour_loss, class_ids, class_ids, logits[..., 0]) == 0


def test_contours():
    class_ids, logits = batch()
    target = np.random.default_rng(2).random(class_ids.shape) < 0.3
    p = 1 / (1 + np.exp(-logits[..., 0]))
    expected = -np.where(target, np.log(p), np.log(1 - p)).mean()
    found = value(losses.contour_loss, class_ids, target, logits[..., 0])
    assert found == pytest.approx(expected, rel=1e-5)
