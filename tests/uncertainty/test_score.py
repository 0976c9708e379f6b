"""A score row from its passes."""

import numpy as np
import pytest

from mrcnn_al.instances import Instances
from mrcnn_al.uncertainty.score import score_image
from mrcnn_al.uncertainty.score_row import ScoreRow


def square(class_id, size):
    mask = np.zeros((10, 10, 1), bool)
    mask[:size, :size] = True
    return Instances.from_dense(mask, [class_id])


def test_a_row_by_hand():
    both = Instances(
        10,
        10,
        class_ids=[3, 1],
        boxes=[[0, 0, 2, 2], [0, 0, 4, 4]],
        masks=(np.ones((2, 2), bool), np.ones((4, 4), bool)),
    )
    row = score_image(
        "7",
        [both, square(1, 4), Instances.empty(10, 10), Instances.empty(10, 10)],
        [
            np.array([[0.1, 0.1, 0.1, 0.7], [0.0, 1.0, 0.0, 0.0]]),
            np.array([[0.1, 0.8, 0.1, 0.0]]),
            np.zeros((0, 4)),
            np.zeros((0, 0)),
        ],
    )
    assert row.image_id == "7"
    assert row.detections == 0.75
    assert row.detected_passes == 2
    assert row.passes == 4
    assert row.least_confident == pytest.approx(0.3)
    assert row.least_confident_mean == pytest.approx((0.3 + 0 + 0.2) / 3)
    assert row.least_confident_sum == pytest.approx(0.5)
    first, third = -0.3 * np.log(0.1) - 0.7 * np.log(0.7), -0.2 * np.log(0.1) - 0.8 * np.log(0.8)
    assert row.entropy == pytest.approx(first)
    assert row.entropy_mean == pytest.approx((first + third) / 3)
    assert row.entropy_sum == pytest.approx(first + third)
    assert row.margin == pytest.approx(0.4)
    assert row.margin_mean == pytest.approx((0.4 + 0 + 0.3) / 3)
    assert row.margin_sum == pytest.approx(0.7)
    # Two sets: the squares of 4 in both passes, that of 2 in one of the four.
    # Without the background, 0.8 and 0.1 of 0.9 are left, and twice 0.1 and 0.7.
    spread = -8 / 9 * np.log(8 / 9) - 1 / 9 * np.log(1 / 9)
    both = 1 - (1 + 1 - spread / np.log(3)) / 2 * 1 * 2 / 4
    spread = -2 / 9 * np.log(1 / 9) - 7 / 9 * np.log(7 / 9)
    alone = 1 - (1 - spread / np.log(3)) * 1 * 1 / 4
    assert row.maskal == pytest.approx(max(both, alone))
    assert row.maskal_mean == pytest.approx((both + alone) / 2)
    assert row.maskal_sum == pytest.approx(both + alone)
    assert row.mask_by_class == ((1, 16 * 0.25), (3, 4 * 0.25 * 0.75))
    assert row.mask == (4.0 + 0.75) / 2
    assert row.predicted_classes == (1, 3)
    assert not row.undetected


def test_no_detection_in_any_pass():
    row = score_image("x", [Instances.empty(10, 10)] * 3, [np.zeros((0, 4))] * 3)
    assert row == ScoreRow("x", passes=3, maskal=1.0, maskal_mean=1.0, maskal_sum=1.0)
    assert row.undetected


def test_probabilities_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one class distribution per detection"):
        score_image("x", [square(1, 2)], [np.zeros((0, 4))])
    with pytest.raises(ValueError, match="one class distribution per detection"):
        score_image("x", [square(1, 2)], [])
    with pytest.raises(ValueError, match="no pass"):
        score_image("x", [], [])
