"""Results of the reference, and when ours are the same."""

import numpy as np
from deviations import note, within
from keras import ops
from scipy.optimize import linear_sum_assignment

from mrcnn_al.config import ModelConfig
from mrcnn_al.model import MaskRCNN
from mrcnn_al.ops.images import plan_resize

SIZE = {"small": 128, "mid": 512}
SCALES = {"small": (8, 16, 32, 64, 128), "mid": (64, 128, 256, 512, 1024)}


def load_model(shared, case):
    config = ModelConfig.preset(
        "matterport",
        backbone="resnet50",
        num_classes=4,
        image_min_dim=SIZE[case],
        image_max_dim=SIZE[case],
        rpn_anchor_scales=SCALES[case],
    )
    model = MaskRCNN(config)
    model.load_weights(shared / "parity" / "small_weights.h5")
    return model


def numpy(value):
    return ops.convert_to_numpy(value)


def match(boxes, class_ids, scores, their_boxes, their_class_ids, their_scores):
    """For each of their rows the row of ours that fits best, one to one."""
    assert len(boxes) == len(their_boxes)
    cost = np.abs(boxes[:, None] - their_boxes[None]).max(axis=-1)
    cost = cost + 100 * np.abs(scores[:, None] - their_scores[None])
    cost = cost + 1e6 * (class_ids[:, None] != their_class_ids[None])
    ours, theirs = linear_sum_assignment(cost)
    return ours[np.argsort(theirs)]


def assert_same_result(ours, rois, class_ids, scores, masks, exempt=0):
    """All rows agree but for `exempt` of them.

    Of two overlapping boxes whose scores differ in the sixth digit, another backend or processor
    may keep the other one.
    """
    pairs = match(ours["rois"], ours["class_ids"], ours["scores"], rois, class_ids, scores)
    same = np.abs(ours["rois"][pairs] - rois).max(axis=1) <= 1
    assert np.count_nonzero(~same) <= exempt
    pairs, rois, class_ids, scores = pairs[same], rois[same], class_ids[same], scores[same]
    masks = masks[..., same]
    np.testing.assert_array_equal(ours["class_ids"][pairs], class_ids)
    within("detect(): scores", ours["scores"][pairs], scores, 2e-4)
    assert (np.diff(ours["scores"]) <= 0).all()
    within("detect(): rois", ours["rois"][pairs], rois, 1)
    note("detect(): share of mask pixels", (ours["masks"][..., pairs] != masks).mean(), 1e-4)


def recorded(golden, index):
    return [golden[f"{name}_{index}"] for name in ("rois", "class_ids", "scores", "masks")]


def detect_molded(model, image, molded, monkeypatch):
    """detect() with the reference's scaled image, as one grey level changes detections."""
    geometry = plan_resize(*image.shape[:2], "square", *molded.shape[:2], 0)
    with monkeypatch.context() as patch:
        patch.setattr("mrcnn_al.mask_rcnn.inference.fit_image", lambda *_: (molded, geometry))
        (found,) = model.detect([image])
    return found


def assert_nearly_same_result(ours, rois, class_ids):
    """Of either's boxes at least 80 % are the other's, within a pixel.

    Rounded grey levels instead of truncated ones leave 55 %.
    """
    distance = np.abs(ours["rois"][:, None] - rois[None]).max(axis=-1)
    same = (distance <= 1) & (ours["class_ids"][:, None] == class_ids[None])
    assert same.any(axis=0).mean() >= 0.8
    assert same.any(axis=1).mean() >= 0.8
