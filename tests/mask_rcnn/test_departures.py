"""What each setting under "Departures" changes, and that the preset `matterport` has none on."""

import numpy as np
import pytest
from gradients import differentiate
from keras import ops
from small_model import build

from mrcnn_al.config import ModelConfig
from mrcnn_al.ops.images import place_image, plan_resize

# Each departure and its value in the reference.
DEPARTURES = {
    "drop_zero_area_boxes": False,
    "class_loss_by_image": False,
    "stop_target_gradients": False,
    "fill_with_negatives": False,
    "half_pixel_sampling": False,
    "reference_resampling": True,
}
TINY = {
    "num_classes": 3,
    "backbone": "efficientnet_lite0",
    "head_normalization": "none",
    "top_down_pyramid_size": 16,
    "rpn_channels": 16,
    "fpn_classif_fc_layers_size": 16,
    "mask_head_channels": 8,
    "mask_head_convolutions": 1,
    "rpn_anchor_scales": (8, 16, 32, 64, 128),
    "image_min_dim": 64,
    "image_max_dim": 64,
    "post_nms_rois_training": 60,
    "post_nms_rois_inference": 60,
    "train_rois_per_image": 20,
    "detection_min_confidence": 0.0,
    "use_mini_mask": False,
}


def make_model(**departures):
    return build(ModelConfig.preset("matterport", **TINY, **departures), seed=3)


def training_inputs(model, seed=0):
    """Two images whose objects are proposals of the model, so that there are positives."""
    rng = np.random.default_rng(seed)
    images = rng.normal(0, 40, (2, 64, 64, 3)).astype(np.float32)
    rois = model.proposals(*model.region_proposals(model.pyramid(images)), (64, 64), inference=True)
    boxes = ops.convert_to_numpy(rois) * 63 + np.array([0, 0, 1, 1], np.float32)
    largest = (boxes[..., 2:] - boxes[..., :2]).prod(axis=-1).argsort(axis=1)[:, -2:]
    boxes = np.take_along_axis(boxes, largest[..., None], axis=1)
    anchors = len(model.anchors((64, 64)))
    return {
        "images": images,
        "rpn_match": rng.integers(-1, 2, (2, anchors)).astype(np.int32),
        "rpn_bbox": rng.normal(0, 1, (2, anchors, 4)).astype(np.float32),
        "gt_class_ids": np.array([[1, 2], [2, 1]], np.int32),
        "gt_boxes": boxes,
        "gt_masks": np.ones((2, 2, 64, 64), np.float32),
        "active_class_ids": np.array([[1, 1, 0], [0, 1, 1]], np.float32),
        "seeds": np.array([1, 2], np.int32),
    }


def test_the_preset_matterport_departs_in_nothing():
    config = ModelConfig.preset("matterport")
    assert {name: getattr(config, name) for name in DEPARTURES} == DEPARTURES


@pytest.mark.parametrize("preset", ["thesis", "cpu"])
def test_our_presets_depart_in_everything(preset):
    config = ModelConfig.preset(preset)
    assert {name: not getattr(config, name) for name in DEPARTURES} == DEPARTURES


def test_boxes_without_area_are_no_proposals_and_no_detections():
    counts = {}
    for drop in (False, True):
        model = make_model(drop_zero_area_boxes=drop, rpn_nms_threshold=1.0)
        scores = np.zeros((1, len(model.anchors((64, 64))), 2), np.float32)
        deltas = np.zeros((*scores.shape[:2], 4), np.float32)
        # Every second anchor is moved far above the image, and clipped onto its border.
        deltas[:, ::2, 0] = -200
        scores[:, ::2, 1] = 1
        rois = ops.convert_to_numpy(model.proposals(scores, deltas, (64, 64), inference=True))
        flat = ops.convert_to_tensor(np.array([[[0, 0.1, 0.1, 0.3]]], np.float32))
        found = model.detections(
            flat,
            ops.convert_to_tensor(np.array([[[0.0, 3.0, 1.0]]], np.float32)),
            ops.zeros((1, 1, 3, 4)),
            ops.convert_to_tensor(np.array([[0.5, 0, 1, 1]], np.float32)),
            0.0,
        )
        area = (rois[..., 2:] - rois[..., :2]).prod(axis=-1)
        counts[drop] = (area > 0).sum(), (ops.convert_to_numpy(found[1]) > 0).sum()
    assert counts == {False: (0, 1), True: (60, 0)}


def class_loss(model, inputs):
    return float(ops.convert_to_numpy(model(inputs)["mrcnn_class_loss"]))


def test_the_class_loss_looks_at_each_images_own_classes():
    losses = {}
    for by_image in (False, True):
        model = make_model(class_loss_by_image=by_image)
        # Background is predicted everywhere, which only the first image has among its classes.
        model.classifier_head.logits.bias.assign([5.0, 0.0, 0.0])
        inputs = training_inputs(model)
        as_is = class_loss(model, inputs)
        inputs["active_class_ids"] = inputs["active_class_ids"][[0, 0]]
        losses[by_image] = as_is, class_loss(model, inputs)
    assert losses[False][0] == losses[False][1]
    assert losses[True][0] != losses[True][1]
    assert losses[True][1] == pytest.approx(losses[False][1], rel=1e-6)


def test_the_box_loss_does_not_reach_the_rpn_through_its_targets():
    reached = {}
    for stop in (False, True):
        model = make_model(stop_target_gradients=stop)
        inputs = training_inputs(model)
        # Objects a little off their RoIs, so that the targets are not all zero.
        inputs["gt_boxes"] += np.array([1, 1, 1, 1], np.float32)
        (kernel,) = [v for v in model.rpn.variables if v.path.endswith("rpn_bbox_pred/kernel")]

        def box_loss(model=model, inputs=inputs):
            loss = model(inputs)["mrcnn_bbox_loss"]
            return loss, {"loss": loss}

        values, (gradient,) = differentiate(box_loss, [kernel])
        reached[stop] = gradient is not None and bool(np.any(gradient))
        assert values["loss"] > 0
    assert reached == {False: True, True: False}


def test_an_image_without_a_positive_teaches_the_classifier_only_when_negatives_fill_in():
    losses = {}
    for fill in (False, True):
        model = make_model(fill_with_negatives=fill)
        inputs = training_inputs(model)
        inputs["gt_class_ids"] = np.zeros((2, 2), np.int32)
        inputs["active_class_ids"] = np.ones((2, 3), np.float32)
        shifted = {**inputs, "images": inputs["images"][::-1]}
        losses[fill] = [class_loss(model, i) for i in (inputs, shifted)]
    # Without RoIs the heads see only empty rows, the same whatever the images show.
    empty = np.log(np.exp(empty_logits(make_model())).sum()) - empty_logits(make_model())[0]
    assert losses[False] == pytest.approx([empty, empty], rel=1e-4)
    assert abs(losses[True][0] - empty) > 1e-3


def empty_logits(model):
    pyramid = model.pyramid(training_inputs(model)["images"])
    pooled = model.pool_batch(pyramid, np.zeros((2, 1, 4), np.float32), (64, 64), 7)
    return ops.convert_to_numpy(model.classifier_head(pooled)[0]).mean(axis=0)


def test_pooling_samples_bin_centres_with_half_pixel_sampling():
    # P2 holds the row of each cell, so a pooled value says where it was sampled.
    rows = np.broadcast_to(np.arange(16, dtype=np.float32)[:, None], (16, 16))[None, ..., None]
    pyramid = [ops.convert_to_tensor(rows[:, :: 2**n, :: 2**n].copy()) for n in range(4)]
    box = (np.array([[8, 8, 36, 36]], np.float32) - [0, 0, 1, 1]) / 63
    samples = {}
    for half_pixel in (False, True):
        model = make_model(half_pixel_sampling=half_pixel)
        index = ops.zeros(1, "int32")
        boxes = ops.convert_to_tensor(box.astype(np.float32))
        pooled = model.pool(pyramid, boxes, index, (64, 64), 7)
        samples[half_pixel] = ops.convert_to_numpy(pooled)[0, :, 0, 0]
    centres = 8 + 4 * (np.arange(7) + 0.5)
    np.testing.assert_allclose(samples[True], centres / 4 - 0.5, atol=1e-4)
    np.testing.assert_allclose(samples[False], np.linspace(8, 35, 7) / 63 * 15, atol=1e-4)


def test_the_side_of_level_4_says_which_map_is_pooled():
    # Each map holds the number of its level.
    pyramid = [ops.full((1, 64 // 2**n, 64 // 2**n, 1), float(n)) for n in range(2, 6)]
    box = ops.convert_to_tensor(np.array([[0.0, 0.0, 0.5, 0.5]], np.float32))
    levels = {}
    for side in (16.0, 32.0, 64.0, 224.0):
        model = make_model(level4_side=side)
        pooled = model.pool(pyramid, box, ops.zeros(1, "int32"), (64, 64), 7)
        levels[side] = set(ops.convert_to_numpy(pooled).ravel().tolist())
    assert levels == {16.0: {5.0}, 32.0: {4.0}, 64.0: {3.0}, 224.0: {2.0}}


def test_shrinking_averages_without_reference_resampling():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::4] = 255
    results = {}
    for reference in (False, True):
        geometry = plan_resize(64, 64, "square", 16, 16, 0)
        results[reference] = place_image(stripes, geometry, reference)
    assert np.abs(results[False][:, 2:-2].astype(int) - 64).max() <= 2
    assert set(np.unique(results[True])) == {0}


def test_enlarging_darkens_borders_only_with_reference_resampling():
    white = np.full((32, 32, 3), 255, np.uint8)
    geometry = plan_resize(32, 32, "pad64", 64, 64, 0)
    assert (place_image(white, geometry, False) == 255).all()
    assert (place_image(white, geometry, True)[1:-1, 1:-1] >= 254).all()
    grey = np.full((32, 32, 3), 255, np.uint8)
    grey[::2] = 100
    assert place_image(grey, geometry, False)[0].min() == 100
    assert place_image(grey, geometry, True)[0].min() < 100 + 1
