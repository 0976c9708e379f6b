"""The committee of stochastic passes: what is shared, what is random, what is repeatable."""

import collections

import keras
import numpy as np
import pytest
from keras import ops
from small_model import build

from mrcnn_al.config import ModelConfig
from mrcnn_al.mask_rcnn.inference import _row_keys, pass_key
from mrcnn_al.ops.images import mold_image, plan_resize
from mrcnn_al.ops.masks import paste_mask

SETTINGS = {
    "num_classes": 3,
    "top_down_pyramid_size": 32,
    "rpn_channels": 32,
    "fpn_classif_fc_layers_size": 64,
    "mask_head_channels": 16,
    "image_min_dim": 64,
    "image_max_dim": 64,
    "post_nms_rois_inference": 40,
    "detection_max_instances": 12,
    "detection_min_confidence": 0.0,
    "precision_inference": None,
}


def make_model(**changes):
    return build(ModelConfig.preset("cpu", **{**SETTINGS, **changes}))


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    return make_model()


def assert_equal(one, other, exact=True):
    assert set(one) == set(other)
    for key in ("rois", "class_ids"):
        np.testing.assert_array_equal(one[key], other[key])
    for key in set(one) - {"rois", "class_ids", "masks"}:
        np.testing.assert_allclose(one[key], other[key], atol=0 if exact else 1e-5)
    different = (one["masks"] != other["masks"]).mean() if one["masks"].size else 0
    assert different <= (0 if exact else 1e-4)


def same(one, other):
    return one["rois"].shape == other["rois"].shape and np.allclose(one["scores"], other["scores"])


def test_a_pass_has_a_distribution_for_each_instance(model):
    (passes,) = model.sample([noise(0)], passes=3)
    assert len(passes) == 3
    for found in passes:
        assert len(found["rois"]) > 0
        np.testing.assert_allclose(found["probabilities"].sum(axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(found["probabilities"].argmax(axis=1), found["class_ids"])


def test_passes_differ_and_detect_does_not(model):
    (passes,) = model.sample([noise(0)], passes=4)
    for index, one in enumerate(passes):
        for other in passes[:index]:
            assert not same(one, other)
    (once,), (again,) = model.detect([noise(0)]), model.detect([noise(0)])
    assert_equal(once, again)
    assert not any(same(once, found) for found in passes)


def test_a_rate_of_zero_makes_every_pass_a_detection():
    model = make_model(dropout_rate=0.0)
    (expected,) = model.detect([noise(0)])
    (passes,) = model.sample([noise(0)], passes=3)
    for found in passes:
        del found["probabilities"]
        assert_equal(found, expected, exact=False)


@pytest.mark.every_backend
def test_the_same_seed_gives_the_same_and_another_another(model):
    (one,), (again,), (other,) = (model.sample([noise(0)], 2, seed=s) for s in (5, 5, 6))
    for first, second in zip(one, again, strict=True):
        assert_equal(first, second)
    for first, second in zip(one, other, strict=True):
        assert not same(first, second)


def test_passes_together_equal_passes_one_by_one(model):
    inference = model.inference
    (together,) = inference.sample([noise(0)], passes=4, seed=3, keys=[7])
    for number, found in enumerate(together):
        ((alone,),) = inference.sample([noise(0)], 1, seed=3, keys=[7], first_pass=number)
        assert len(found.instances) == len(alone.instances) > 0
        np.testing.assert_array_equal(found.instances.class_ids, alone.instances.class_ids)
        np.testing.assert_array_equal(found.instances.boxes, alone.instances.boxes)
        np.testing.assert_allclose(found.probabilities, alone.probabilities, atol=1e-5)
        assert (found.instances.dense() != alone.instances.dense()).mean() < 1e-4


def test_a_pass_equals_a_whole_stochastic_inference(model):
    """Nothing shared: the network run from the image to the masks with one pass's keys."""
    config = model.config
    images = mold_image(noise(0), config.mean_pixel, config.pixel_scale)[None]
    geometry = plan_resize(64, 64, "pad64", 64, 64, 0)
    (passes,) = model.sample([noise(0)], passes=3, seed=3, keys=[7])
    for number, found in enumerate(passes):
        key = pass_key(3, np.array([7], np.int32), np.array([number], np.int32))
        pyramid = model.pyramid(images)
        rois = model.proposals(*model.region_proposals(pyramid), (64, 64), inference=True)
        pooled = model.pool_batch(pyramid, rois, (64, 64), 7)
        logits, deltas = model.classifier_head(pooled, keys=_row_keys(key, 40))
        boxes, class_ids, scores, _ = model.detections(
            rois, logits[None], deltas[None], np.array([[0, 0, 1, 1]], np.float32), 0.0
        )
        pooled = model.pool_batch(pyramid, boxes, (64, 64), 14)
        masks = ops.convert_to_numpy(model.mask_head(pooled, keys=_row_keys(key, 12)))
        class_ids = ops.convert_to_numpy(class_ids)[0]
        real = np.flatnonzero(class_ids)
        np.testing.assert_array_equal(found["class_ids"], class_ids[real])
        np.testing.assert_allclose(
            found["scores"], ops.convert_to_numpy(scores)[0, real], atol=1e-5
        )
        boxes = geometry.to_original_half_pixel(ops.convert_to_numpy(boxes)[0, real])
        for index, (row, box) in enumerate(zip(real, boxes, strict=True)):
            (y1, x1, y2, x2), mask = paste_mask(masks[row, ..., class_ids[row]], box, 64, 64)
            np.testing.assert_array_equal(found["rois"][index], (y1, x1, y2, x2))
            assert (found["masks"][y1:y2, x1:x2, index] != mask).sum() <= 2


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="counts calls of TensorFlow")
def test_what_comes_before_dropout_runs_once_whatever_the_number_of_passes(monkeypatch):
    import tensorflow as tf

    model = make_model()
    calls = collections.Counter()

    def count(owner, name):
        function = getattr(owner, name)

        def counted(*arguments, **options):
            calls[name] += 1
            return function(*arguments, **options)

        monkeypatch.setattr(owner, name, counted)

    for name in ("pyramid", "region_proposals", "proposals", "pool_batch", "detections"):
        count(model, name)
    count(model.classifier_head, "before_dropout")
    count(model.backbone, "call")
    tf.config.run_functions_eagerly(True)
    try:
        for passes in (1, 5):
            calls.clear()
            (found,) = model.sample([noise(0)], passes=passes)
            assert len(found) == passes
            assert set(calls.values()) == {1}, calls
            assert len(calls) == 7
    finally:
        tf.config.run_functions_eagerly(False)


def test_an_image_gets_the_same_whatever_is_beside_it(model):
    first, second = noise(0), noise(1)
    together = model.sample([first, second], 2, seed=1, keys=[5, 9])
    swapped = model.sample([second, first], 2, seed=1, keys=[9, 5])
    (alone,) = model.sample([second], 2, seed=1, keys=[9])
    for number in range(2):
        assert_equal(together[0][number], swapped[1][number])
        assert_equal(together[1][number], swapped[0][number])
        assert_equal(together[1][number], alone[number])


def test_keys_are_positions_unless_given(model):
    implicit = model.sample([noise(0), noise(0)], 1, seed=1)
    explicit = model.sample([noise(0), noise(0)], 1, seed=1, keys=[0, 1])
    for one, other in zip(implicit, explicit, strict=True):
        assert_equal(one[0], other[0])
    assert not same(implicit[0][0], implicit[1][0])


def test_pass_keys_are_all_different():
    images, passes = np.arange(50, dtype=np.int32), np.arange(30, dtype=np.int32)
    keys = [pass_key(seed, images, passes) for seed in range(10)]
    assert len(np.unique(np.concatenate(keys))) == 10 * 50 * 30
