"""Proposals from given RPN outputs."""

import numpy as np
import pytest
from keras import ops

from mrcnn_al.mask_rcnn.proposals import propose

STD_DEV = (0.1, 0.1, 0.2, 0.2)


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "parity" / "units" / "proposal_layer.npz")


def run(scores, deltas, anchors, count, threshold=0.7, limit=6000, drop_zero_area=False):
    arrays = (ops.convert_to_tensor(np.asarray(a, np.float32)) for a in (scores, deltas))
    boxes = propose(*arrays, anchors, count, limit, threshold, STD_DEV, drop_zero_area)
    return ops.convert_to_numpy(boxes)


@pytest.mark.parametrize(
    ("count", "threshold", "limit"), [(40, 0.7, 6000), (400, 0.5, 6000), (400, 0.7, 100)]
)
def test_proposals_as_the_reference(golden, count, threshold, limit):
    np.testing.assert_array_equal(golden["anchors"][0], golden["anchors"][1])
    boxes = run(
        golden["rpn_probs"][..., 1],
        golden["rpn_bbox"],
        golden["anchors"][0],
        count,
        threshold,
        limit,
    )
    expected = golden[f"out_count{count}_nms0{round(10 * threshold)}_pre{limit}"]
    np.testing.assert_allclose(boxes, expected, atol=1e-6)


def test_the_networks_outputs_give_the_recorded_proposals(shared):
    rpn = np.load(shared / "parity" / "small_rpn.npz")
    anchors = np.load(shared / "parity" / "small_inputs.npz")["anchors"]
    boxes = run(rpn["rpn_class"][..., 1], rpn["rpn_bbox"], anchors, 1000)
    np.testing.assert_allclose(boxes, rpn["rpn_rois"], atol=1e-6)


def test_boxes_without_area_are_kept_or_dropped():
    anchors = np.array([[0.2, 0.2, 0.5, 0.5], [1.1, 0.1, 1.4, 0.4], [0.6, 0.6, 0.9, 0.9]])
    scores, deltas = [[0.7, 0.9, 0.8]], np.zeros((1, 3, 4))
    clipped = [1, 0.1, 1, 0.4]
    kept = run(scores, deltas, anchors.astype(np.float32), 3)
    np.testing.assert_allclose(kept[0], [clipped, anchors[2], anchors[0]], atol=1e-6)
    dropped = run(scores, deltas, anchors.astype(np.float32), 3, drop_zero_area=True)
    np.testing.assert_allclose(dropped[0], [anchors[2], anchors[0], [0] * 4], atol=1e-6)
