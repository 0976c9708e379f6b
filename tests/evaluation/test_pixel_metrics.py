import json

import numpy as np
import pytest

from mrcnn_al.evaluation.pixel_metrics import PixelEvaluation
from mrcnn_al.instances import Instances


def square(left, class_id=1, score=None, crowd=None):
    """Four by four pixels in an image of 8 x 16."""
    masks = np.zeros((8, 16, 1), bool)
    masks[2:6, left : left + 4] = True
    scores = None if score is None else np.array([score])
    return Instances.from_dense(masks, [class_id], scores, crowd)


def pixel_metrics(pairs, class_names):
    evaluation = PixelEvaluation(class_names)
    for truth, found in pairs:
        evaluation.add(truth, found)
    return evaluation.metrics()


def test_a_shifted_square():
    """Half of it is shared: TP 8, FP 8, FN 8."""
    metrics = pixel_metrics([(square(2), square(4, score=0.9))], ["cell"])
    assert metrics["mIoU"] == pytest.approx(8 / 24)
    assert metrics["Dice"] == pytest.approx(16 / 32)
    assert metrics["pixels"]["background"]["IoU"] == pytest.approx((128 - 24) / (128 - 8))


def test_images_are_added_up():
    nothing = Instances.empty(8, 16, scored=True)
    pairs = [(square(2), square(2, score=0.5)), (square(2), nothing)]
    metrics = pixel_metrics(pairs, ["cell"])
    assert metrics["mIoU"] == pytest.approx(16 / 32)
    assert metrics["Dice"] == pytest.approx(32 / 48)


def test_a_wrong_class_is_wrong_for_both_and_an_absent_one_for_none():
    metrics = pixel_metrics([(square(2), square(2, 2, 0.9))], ["cell", "cyst", "none"])
    assert metrics["pixels"]["cell"] == metrics["pixels"]["cyst"] == {"IoU": 0.0, "Dice": 0.0}
    assert metrics["pixels"]["none"] == {"IoU": None, "Dice": None}
    assert metrics["mIoU"] == 0


def test_crowds_do_not_count():
    metrics = pixel_metrics([(square(2, crowd=[True]), square(2, score=0.9))], ["cell"])
    assert metrics["mIoU"] is None
    assert metrics["pixels"]["background"]["IoU"] == 1
    assert json.loads(json.dumps(metrics)) == metrics
