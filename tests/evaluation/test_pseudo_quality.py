"""Pseudo-labels against the truth, by hand."""

import json

import numpy as np
import pytest

from mrcnn_al.evaluation.image_ap import match
from mrcnn_al.evaluation.pseudo_quality import (
    PseudoQuality,
    match_pseudo_labels,
    measure_pseudo_labels,
)
from mrcnn_al.instances import Instances

SIZE = 40


def boxes(*corners, classes=None, scores=None, crowd=None):
    masks = np.zeros((SIZE, SIZE, len(corners)), bool)
    for index, (y1, x1, y2, x2) in enumerate(corners):
        masks[y1:y2, x1:x2, index] = True
    classes = [1] * len(corners) if classes is None else classes
    return Instances.from_dense(masks, classes, scores, crowd)


def test_three_objects_of_which_two_are_labelled_and_one_label_is_wrong():
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 10), (0, 20, 10, 30))
    # IoU 1, IoU 8/10, nothing there.
    labels = boxes((0, 0, 10, 10), (20, 0, 28, 10), (30, 30, 40, 40), scores=[0.9, 0.8, 0.7])
    quality = measure_pseudo_labels("a", truth, labels)
    assert (quality.labelled, quality.objects, quality.matched) == (3, 3, 2)
    assert quality.iou == pytest.approx(0.9)
    assert quality.precision == pytest.approx(2 / 3)
    assert quality.recall == pytest.approx(2 / 3)
    # Kirillov et al. 2019: sum of IoU over TP + FP/2 + FN/2.
    assert quality.panoptic_quality == pytest.approx(1.8 / (2 + 0.5 + 0.5))


def test_the_better_score_gets_the_object_and_a_second_label_is_wrong():
    truth = boxes((0, 0, 10, 10))
    labels = boxes((0, 0, 9, 10), (0, 0, 10, 10), scores=[0.9, 0.8])
    matches = match_pseudo_labels(truth, labels)
    assert matches.of_labels.tolist() == [0, -1]
    assert matches.of_objects.tolist() == [0]
    assert measure_pseudo_labels("a", truth, labels).iou == pytest.approx(0.9)


def test_another_class_is_wrong():
    truth, labels = boxes((0, 0, 10, 10)), boxes((0, 0, 10, 10), classes=[2], scores=[0.9])
    quality = measure_pseudo_labels("a", truth, labels)
    assert (quality.matched, quality.iou, quality.panoptic_quality) == (0, None, 0.0)


def test_less_than_half_is_no_match():
    truth = boxes((0, 0, 10, 10), (20, 20, 30, 30))
    labels = boxes((0, 0, 10, 5), (20, 20, 30, 24), scores=[0.9, 0.8])
    assert match_pseudo_labels(truth, labels).of_labels.tolist() == [0, -1]


def test_labels_inside_a_crowd_do_not_count():
    truth = boxes((0, 0, 20, 20), (30, 30, 40, 40), crowd=[True, False])
    labels = boxes((0, 0, 5, 5), (2, 2, 8, 8), (30, 30, 40, 40), scores=[0.9, 0.8, 0.7])
    assert match_pseudo_labels(truth, labels).of_labels.tolist() == [-2, -2, 1]
    quality = measure_pseudo_labels("a", truth, labels)
    assert (quality.labelled, quality.objects, quality.matched) == (1, 1, 1)


@pytest.mark.parametrize(
    ("objects", "labels", "precision", "recall", "panoptic"),
    [(0, 0, 1.0, 1.0, 1.0), (1, 0, 1.0, 0.0, 0.0), (0, 1, 0.0, 1.0, 0.0)],
)
def test_nothing_there(objects, labels, precision, recall, panoptic):
    corners = [(0, 0, 5, 5)]
    truth = boxes(*corners[:objects])
    quality = measure_pseudo_labels("a", truth, boxes(*corners[:labels], scores=[0.5][:labels]))
    assert (quality.precision, quality.recall) == (precision, recall)
    assert quality.panoptic_quality == panoptic


def test_agrees_with_the_matches_of_a_single_image():
    """Without crowds and ties it is the matching of Matterport's notebooks."""
    random = np.random.default_rng(0)
    seen = 0
    for _ in range(20):
        corners = random.integers(0, 25, (12, 2))
        sizes = random.integers(6, 15, (12, 2))
        moved = corners + random.integers(-2, 3, (12, 2)).clip(-corners)
        truth = boxes(*np.hstack([corners, corners + sizes]), classes=random.integers(1, 3, 12))
        labels = boxes(
            *np.hstack([moved, moved + sizes]),
            classes=truth.class_ids,
            scores=random.permutation(12) / 12 + 0.01,
        )
        expected, found = match(truth, labels), match_pseudo_labels(truth, labels)
        order = np.argsort(labels.scores, kind="stable")[::-1]
        np.testing.assert_array_equal(found.of_labels[order], expected.of_found)
        seen += (found.of_labels >= 0).sum()
    assert seen > 50


def test_as_json_and_back():
    for quality in (PseudoQuality("a", 3, 4, 2, 0.75), PseudoQuality("b", 3, 4, 0, None)):
        content = json.loads(json.dumps(quality.to_dict()))
        assert content["recall"] == quality.recall
        assert PseudoQuality.from_dict(content) == quality


@pytest.mark.parametrize("change", [{"iou": "high"}, {"matched": 1.5}, {"objects": -1}])
def test_other_content_is_refused(change):
    content = PseudoQuality("a", 3, 4, 2, 0.75).to_dict() | change
    with pytest.raises(ValueError, match="must be"):
        PseudoQuality.from_dict(content)
