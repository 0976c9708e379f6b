"""The whole network on an image of 512 x 512 with recorded weights, against the reference."""

import numpy as np
import pytest
from deviations import within
from keras import ops
from reference_results import (
    assert_nearly_same_result,
    assert_same_result,
    detect_molded,
    load_model,
    numpy,
)

from mrcnn_al.ops.images import place_image, plan_resize


@pytest.fixture(scope="module")
def mid_model(shared):
    return load_model(shared, "mid")


@pytest.fixture(scope="module")
def mid(shared):
    return np.load(shared / "parity" / "mid.npz")


@pytest.fixture(scope="module")
def mid_molded(mid_model, mid):
    return mid["resized_uint8"].astype(np.float32) - np.float32(mid_model.config.mean_pixel)


@pytest.fixture(scope="module")
def mid_pyramid(mid_model, mid_molded):
    return mid_model.pyramid(ops.convert_to_tensor(mid_molded[None]))


def test_mid_image_scales_to_the_same_greys(mid):
    geometry = plan_resize(*mid["image"].shape[:2], "square", 512, 512, 0)
    assert geometry.window == tuple(mid["windows"][0])
    greys = place_image(mid["image"], geometry, reference=True).astype(int)
    difference = np.abs(greys - mid["resized_uint8"])
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 10


def test_mid_pyramid(mid_pyramid, mid):
    for level, feature in zip((2, 3, 4, 5, 6), mid_pyramid, strict=True):
        step = {2: 8, 3: 4, 4: 2}.get(level, 1)
        ours = numpy(feature)[:, ::step, ::step, ::4]
        within(f"P{level}", ours, mid[f"P{level}_sub"], 3e-4)


def test_mid_region_proposals(mid_model, mid_pyramid, mid):
    anchors, rows = mid_model.anchors((512, 512)), mid["anchors_sel_idx"]
    assert len(anchors) == mid["n_anchors"]
    within("anchors", anchors[rows], mid["anchors_sel"], 1e-6)
    logits, deltas = mid_model.region_proposals(mid_pyramid)
    foreground = numpy(ops.softmax(logits))[..., 1]
    within("rpn_class", foreground, mid["rpn_class"], 1e-4)
    within("rpn_bbox", numpy(deltas)[:, rows], mid["rpn_bbox_sel"], 3e-4)
    rois = numpy(mid_model.proposals(logits, deltas, (512, 512), inference=True))[0]
    distance = np.abs(rois[:, None] - mid["rpn_rois"]).max(axis=-1).min(axis=0)
    # One proposal at the cut of the best 6000 may be another.
    assert (distance > 1e-4).sum() <= 2


def test_mid_heads(mid_model, mid_pyramid, mid):
    rois = ops.convert_to_tensor(mid["rpn_rois"])
    pooled = mid_model.pool_batch(mid_pyramid, rois, (512, 512), 7)
    logits, deltas = mid_model.classifier_head(pooled)
    within("mrcnn_class", numpy(ops.softmax(logits)), mid["mrcnn_class"][0], 2e-4)
    within("mrcnn_bbox", numpy(deltas), mid["mrcnn_bbox"][0], 5e-4)
    boxes = ops.convert_to_tensor(mid["detections"][:, :20, :4])
    masks = mid_model.mask_head(mid_model.pool_batch(mid_pyramid, boxes, (512, 512), 14))
    within("mrcnn_mask", numpy(masks), mid["mrcnn_mask_first20"][0], 2e-3)


def test_mid_detect(mid_model, mid, mid_molded, monkeypatch):
    found = detect_molded(mid_model, mid["image"], mid_molded, monkeypatch)
    shape = mid["masks_shape"]
    masks = np.unpackbits(mid["masks_packed"])[: shape.prod()].reshape(shape).astype(bool)
    assert_same_result(found, mid["rois"], mid["class_ids"], mid["scores"], masks, exempt=5)


def test_mid_detect_from_the_image(mid_model, mid):
    (found,) = mid_model.detect([mid["image"]])
    assert_nearly_same_result(found, mid["rois"], mid["class_ids"])
