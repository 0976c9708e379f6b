"""Classified RoIs to detections."""

import numpy as np
import pytest
from keras import ops

from mrcnn_al.mask_rcnn.detections import refine_detections

STD_DEV = (0.1, 0.1, 0.2, 0.2)


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "parity" / "units" / "refine_detections.npz")


def run(rois, probabilities, deltas, window, count, confidence, threshold, drop_zero_area=False):
    arrays = [
        ops.convert_to_tensor(np.asarray(a, np.float32)[None])
        for a in (rois, probabilities, deltas, window)
    ]
    result = refine_detections(*arrays, count, confidence, threshold, STD_DEV, drop_zero_area)
    return [ops.convert_to_numpy(r)[0] for r in result]


def columns(boxes, class_ids, scores, _):
    return np.concatenate([boxes, class_ids[:, None], scores[:, None]], axis=1)


@pytest.mark.parametrize(
    ("case", "confidence", "threshold"),
    [
        ("out_default", 0.7, 0.3),
        ("out_conf0", 0, 0.3),
        ("out_conf05_max10", 0.5, 0.3),
        ("out_nms07", 0.5, 0.7),
    ],
)
def test_detections_as_the_reference(golden, case, confidence, threshold):
    inputs = (golden[name] for name in ("rois", "probs", "deltas", "window"))
    count = len(golden[case])
    found = columns(*run(*inputs, count, confidence, threshold))
    np.testing.assert_allclose(found, golden[case], atol=1e-6)
    assert found[0, 5] > 0


def test_all_background_is_no_detection(golden):
    inputs = (golden[name] for name in ("rois", "probs_all_background", "deltas", "window"))
    found = columns(*run(*inputs, 100, 0.7, 0.3))
    np.testing.assert_array_equal(found, golden["out_none"])
    assert not found.any()


def test_each_detection_comes_with_its_class_distribution(golden):
    inputs = [golden[name] for name in ("rois", "probs", "deltas", "window")]
    _, class_ids, scores, probabilities = run(*inputs, 100, 0.7, 0.3)
    real = class_ids > 0
    assert real.sum() > 5
    np.testing.assert_array_equal(probabilities[real].argmax(axis=1), class_ids[real])
    np.testing.assert_array_equal(probabilities[real].max(axis=1), scores[real])


def test_equal_scores_keep_the_lower_index():
    rois = [[0.1, 0.1, 0.2, 0.2], [0.5, 0.5, 0.6, 0.6], [0.8, 0.8, 0.9, 0.9]]
    probabilities = [[0.2, 0.8]] * 3
    boxes, _, _, _ = run(rois, probabilities, np.zeros((3, 2, 4)), [0, 0, 1, 1], 2, 0.5, 0.3)
    np.testing.assert_allclose(boxes, rois[:2], atol=1e-6)


def test_a_score_at_the_threshold_counts():
    rois = [[0.1, 0.1, 0.2, 0.2], [0.5, 0.5, 0.6, 0.6]]
    probabilities = [[0.25, 0.75], [0.26, 0.74]]
    found = run(rois, probabilities, np.zeros((2, 2, 4)), [0, 0, 1, 1], 2, 0.75, 0.3)
    np.testing.assert_array_equal(found[1], [1, 0])


def test_boxes_without_area_are_kept_or_dropped():
    rois = [[0, 0.1, 0.1, 0.4], [0.5, 0.5, 0.6, 0.6]]
    probabilities, deltas = [[0.1, 0.9], [0.2, 0.8]], np.zeros((2, 2, 4))
    window = [0.2, 0, 0.8, 1]
    boxes, class_ids, _, _ = run(rois, probabilities, deltas, window, 2, 0.5, 0.3)
    np.testing.assert_allclose(boxes, [[0.2, 0.1, 0.2, 0.4], rois[1]], atol=1e-6)
    boxes, class_ids, scores, _ = run(rois, probabilities, deltas, window, 2, 0.5, 0.3, True)
    np.testing.assert_allclose(boxes, [rois[1], [0] * 4], atol=1e-6)
    np.testing.assert_array_equal(class_ids, [1, 0])
    np.testing.assert_allclose(scores, [0.8, 0])
