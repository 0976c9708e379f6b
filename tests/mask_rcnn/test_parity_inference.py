"""The whole network on real images with recorded weights, against the reference.

Bounds are several times what the reference differs from itself between versions.
"""

from dataclasses import replace

import numpy as np
import pytest
from deviations import note, within
from keras import ops
from reference_results import (
    assert_nearly_same_result,
    assert_same_result,
    detect_molded,
    load_model,
    match,
    numpy,
    recorded,
)

from mrcnn_al.config import ModelConfig
from mrcnn_al.ops.boxes import norm_boxes

FILES = ("inputs", "stem", "features", "rpn", "heads", "detect")

pytestmark = pytest.mark.every_backend


@pytest.fixture(scope="module")
def golden(shared):
    arrays = {}
    for name in FILES:
        arrays.update(np.load(shared / "parity" / f"small_{name}.npz"))
    return arrays


@pytest.fixture(scope="module")
def model(shared):
    return load_model(shared, "small")


@pytest.fixture(scope="module")
def pyramid(model, golden):
    return model.pyramid(ops.convert_to_tensor(golden["molded_images"]))


@pytest.fixture(scope="module")
def rpn(model, pyramid):
    return model.region_proposals(pyramid)


@pytest.fixture(scope="module")
def heads(model, pyramid, golden):
    rois = ops.convert_to_tensor(golden["rpn_rois"])
    pooled = model.pool_batch(pyramid, rois, (128, 128), 7)
    logits, deltas = model.classifier_head(pooled)
    return ops.reshape(logits, (2, 1000, 4)), ops.reshape(deltas, (2, 1000, 4, 4))


def test_the_reference_settings_are_the_preset():
    assert ModelConfig.preset("matterport") == ModelConfig()


def test_backbone(model, golden):
    stages = model.backbone(ops.convert_to_tensor(golden["molded_images"]))
    for level, stage in zip((2, 3, 4, 5), stages, strict=True):
        within(f"C{level}", numpy(stage), golden[f"C{level}"], 5e-4)


def test_pyramid(pyramid, golden):
    for level, feature in zip((2, 3, 4, 5, 6), pyramid, strict=True):
        within(f"P{level}", numpy(feature), golden[f"P{level}"], 3e-4)


def test_anchors(model, golden):
    within("anchors", model.anchors((128, 128)), golden["anchors"], 1e-6)


def test_region_proposal_network(rpn, golden):
    logits, deltas = rpn
    within("rpn_class_logits", numpy(logits), golden["rpn_class_logits"], 3e-4)
    within("rpn_class", numpy(ops.softmax(logits)), golden["rpn_class"], 1e-4)
    within("rpn_bbox", numpy(deltas), golden["rpn_bbox"], 3e-4)


def test_region_proposal_network_against_double_precision(rpn, shared):
    exact = np.load(shared / "parity" / "small_float64_rpn.npz")
    within("rpn_class_logits, float64", numpy(rpn[0]), exact["rpn_class_logits"], 3e-4)
    within("rpn_bbox, float64", numpy(rpn[1]), exact["rpn_bbox"], 3e-4)


def test_proposals_are_the_same_boxes(model, rpn, golden, monkeypatch):
    count = golden["rpn_rois"].shape[1]
    # Rows of nearly equal score may have changed places, the last ones with a row beyond.
    config = replace(model.config, post_nms_rois_inference=count + 10)
    monkeypatch.setattr(model, "config", config)
    rois = numpy(model.proposals(*rpn, (128, 128), inference=True))
    for ours, theirs in zip(rois, golden["rpn_rois"], strict=True):
        distance = np.abs(ours[:, None] - theirs[None]).max(axis=-1)
        note("rpn_rois, nearest", distance.min(axis=0).max(), 1e-4)
        note("rpn_rois, nearest", distance.min(axis=1)[: count - 10].max(), 1e-4)
        assert (np.diagonal(distance) > 1e-4).sum() <= 30


def test_pooled_features(model, pyramid, golden):
    select = golden["roi_sel"]
    rois = ops.convert_to_tensor(golden["rpn_rois"][:, select])
    pooled = model.pool_batch(pyramid, rois, (128, 128), 7)
    hidden = model.classifier_head.block2(model.classifier_head.before_dropout(pooled))
    expected = golden["roi_align_classifier_sel"]
    within("RoIAlign, classifier", numpy(pooled).reshape(expected.shape), expected, 3e-4)
    expected = golden["pool_squeeze_sel"]
    within("pool_squeeze", numpy(hidden).reshape(expected.shape), expected, 5e-4)
    boxes = ops.convert_to_tensor(golden["detections"][:, golden["det_sel"], :4])
    pooled = numpy(model.pool_batch(pyramid, boxes, (128, 128), 14))
    expected = golden["roi_align_mask_sel"]
    within("RoIAlign, mask", pooled.reshape(expected.shape), expected, 3e-4)


def test_classifier_head(heads, golden):
    logits, deltas = heads
    within("mrcnn_class_logits", numpy(logits), golden["mrcnn_class_logits"], 5e-4)
    within("mrcnn_class", numpy(ops.softmax(logits)), golden["mrcnn_class"], 2e-4)
    within("mrcnn_bbox", numpy(deltas), golden["mrcnn_bbox"], 5e-4)


def test_detections(model, heads, golden):
    windows = norm_boxes(golden["windows"].astype(np.float32), 128, 128)
    boxes, class_ids, scores, _ = model.detections(
        ops.convert_to_tensor(golden["rpn_rois"]), *heads, ops.convert_to_tensor(windows), 0.7
    )
    columns = [numpy(boxes), numpy(class_ids)[..., None], numpy(scores)[..., None]]
    for ours, theirs in zip(np.concatenate(columns, -1), golden["detections"], strict=True):
        pairs = match(
            ours[:, :4], ours[:, 4], ours[:, 5], theirs[:, :4], theirs[:, 4], theirs[:, 5]
        )
        within("detections", ours[pairs], theirs, 2e-4)


def test_masks(model, pyramid, golden):
    boxes = ops.convert_to_tensor(golden["detections"][..., :4])
    masks = numpy(model.mask_head(model.pool_batch(pyramid, boxes, (128, 128), 14)))
    expected = golden["mrcnn_mask"]
    within("mrcnn_mask", masks.reshape(expected.shape), expected, 2e-3)


@pytest.mark.parametrize("index", [0, 1])
def test_detect_from_the_recorded_input(model, golden, index, monkeypatch):
    image, molded = golden[f"image_{index}"], golden["molded_images"][index]
    found = detect_molded(model, image, molded, monkeypatch)
    assert_same_result(found, *recorded(golden, index))


@pytest.mark.parametrize("index", [0, 1])
def test_detect_from_the_image(model, golden, index):
    (found,) = model.detect([golden[f"image_{index}"]])
    assert_nearly_same_result(found, *recorded(golden, index)[:2])


def test_images_of_several_sizes_in_one_call(model, golden):
    images = [golden["image_1"], golden["image_0"], golden["image_1"]]
    first, second, third = model.detect(images)
    assert first["masks"].shape[:2] == (112, 112)
    assert second["masks"].shape[:2] == (120, 160)
    for key in first:
        np.testing.assert_array_equal(first[key], third[key])
