"""COCO mAP against pycocotools' own summary and by hand."""

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mrcnn_al.evaluation.coco_map import METRICS, evaluate_coco
from mrcnn_al.instances import Instances

CLASSES = ("cat", "dog", "owl")
SIZE = 140


def rectangles(random, count, crowd=0.0, scored=False):
    masks = np.zeros((SIZE, SIZE, count), bool)
    for index in range(count):
        side = random.choice([8, 40, 110])
        y, x = random.integers(0, SIZE - side // 2, 2)
        masks[y : y + side, x : x + side, index] = True
    return Instances.from_dense(
        masks,
        random.integers(1, 3, count),
        # Few distinct scores, for ties.
        random.integers(1, 20, count).astype(np.float32) / 20 if scored else None,
        random.random(count) < crowd,
    )


def disturbed(random, truth):
    """Detections near the ground truth, some lost, some invented."""
    masks = np.zeros((SIZE, SIZE, len(truth)), bool)
    for index, (y1, x1, y2, x2) in enumerate(truth.boxes):
        dy, dx = random.integers(-3, 4, 2)
        masks[max(0, y1 + dy) : y2 + dy, max(0, x1 + dx) : x2 + dx, index] = True
    keep = np.flatnonzero(random.random(len(truth)) < 0.8)
    invented = rectangles(random, random.integers(0, 3))
    return Instances.from_dense(
        np.concatenate([masks[:, :, keep], invented.dense()], axis=2),
        np.concatenate([truth.class_ids[keep], invented.class_ids]),
        random.integers(1, 20, len(keep) + len(invented)).astype(np.float32) / 20,
    )


def summarize(ground_truth, detections, class_count):
    """The twelve numbers of pycocotools, by way of its own loaders."""
    image_ids = sorted(ground_truth)
    annotations, results = [], []
    for image_index, image_id in enumerate(image_ids):
        truth = ground_truth[image_id]
        for index, rle in enumerate(truth.rles()):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_index,
                    "category_id": int(truth.class_ids[index]),
                    "segmentation": rle,
                    "area": int(truth.areas()[index]),
                    "iscrowd": int(truth.crowd[index]),
                }
            )
        found = detections.get(image_id, Instances.empty(SIZE, SIZE, scored=True))
        for index, rle in enumerate(found.rles()):
            results.append(
                {
                    "image_id": image_index,
                    "category_id": int(found.class_ids[index]),
                    "segmentation": rle,
                    "score": float(found.scores[index]),
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": i, "height": SIZE, "width": SIZE} for i in range(len(image_ids))],
            "categories": [{"id": i} for i in range(1, class_count + 1)],
            "annotations": annotations,
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


@pytest.mark.parametrize("crowd", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(6))
def test_the_numbers_of_pycocotools(seed, crowd):
    random = np.random.default_rng(seed)
    ground_truth = {f"i{i}": rectangles(random, random.integers(0, 7), crowd) for i in range(12)}
    detections = {i: disturbed(random, truth) for i, truth in ground_truth.items()}
    del detections["i3"]
    expected = summarize(ground_truth, detections, len(CLASSES))
    measured = evaluate_coco(ground_truth, detections, CLASSES)
    assert 0.05 < measured["AP"] < 0.95
    for name, value in zip(METRICS, expected[:6], strict=True):
        assert (-1 if measured[name] is None else measured[name]) == value
    assert measured["AR"] == expected[8]
    assert measured["instances"] == sum((~t.crowd).sum() for t in ground_truth.values())
    classes = [measured["per_class"][name]["AP"] for name in CLASSES]
    assert classes[2] is None
    assert np.mean(classes[:2]) == pytest.approx(measured["AP"])


def row_of_squares(count, scored=False):
    """Disjoint squares of 10 x 10 (small)."""
    masks = np.zeros((20, 12 * count, count), bool)
    for index in range(count):
        masks[5:15, 12 * index : 12 * index + 10, index] = True
    scores = np.linspace(0.9, 0.8, count) if scored else None
    return Instances.from_dense(masks, np.ones(count, int), scores)


def test_perfect_detections():
    metrics = evaluate_coco({"a": row_of_squares(4)}, {"a": row_of_squares(4, True)}, ["cell"])
    assert metrics == {
        "AP": 1.0,
        "AP50": 1.0,
        "AP75": 1.0,
        "APs": 1.0,
        "APm": None,
        "APl": None,
        "AR": 1.0,
        "per_class": {"cell": {"AP": 1.0, "AP50": 1.0}},
        "images": 1,
        "instances": 4,
        "max_detections": 100,
    }


def test_half_of_the_objects_missing():
    found = row_of_squares(4, True).select([0, 1])
    metrics = evaluate_coco({"a": row_of_squares(4)}, {"a": found}, ["cell"])
    # Precision is 1 at the 51 recall levels 0.00 to 0.50 of 101.
    assert metrics["AP"] == pytest.approx(51 / 101)
    assert metrics["AR"] == 0.5


@pytest.mark.parametrize("max_detections", [1, 5, 10, 150])
def test_max_detections(max_detections):
    squares = 120
    metrics = evaluate_coco(
        {"a": row_of_squares(squares)},
        {"a": row_of_squares(squares, True)},
        ["cell"],
        max_detections=max_detections,
    )
    assert metrics["AR"] == pytest.approx(min(1, max_detections / squares))


@pytest.mark.parametrize("detections", [{}, {"a": Instances.empty(20, 48, scored=True)}])
def test_no_detection_at_all(detections):
    metrics = evaluate_coco({"a": row_of_squares(4)}, detections, ["cell", "rare"])
    assert metrics["AP"] == metrics["AP50"] == metrics["APs"] == metrics["AR"] == 0.0
    assert metrics["APl"] is None
    assert metrics["per_class"] == {
        "cell": {"AP": 0.0, "AP50": 0.0},
        "rare": {"AP": None, "AP50": None},
    }


def test_no_ground_truth_at_all():
    metrics = evaluate_coco(
        {"a": Instances.empty(20, 48)}, {"a": row_of_squares(4, True)}, ["cell"]
    )
    assert metrics["AP"] is None
    assert metrics["images"] == 1
    assert evaluate_coco({}, {}, ["cell"])["AP"] is None


def test_a_false_alarm_in_an_empty_image_costs_precision():
    truth = {"a": row_of_squares(1), "b": Instances.empty(20, 12)}
    alarm = row_of_squares(1, True)
    metrics = evaluate_coco(truth, {"a": alarm, "b": alarm}, ["cell"])
    # Equal scores: the image that sorts first ranks first.
    assert metrics["AP"] == pytest.approx(1.0)
    surer = Instances(20, 12, alarm.class_ids, alarm.boxes, alarm.masks, [0.99])
    metrics = evaluate_coco(truth, {"a": alarm, "b": surer}, ["cell"])
    assert metrics["AP"] == pytest.approx(0.5)


def test_unusable_detections_are_refused():
    truth = {"a": row_of_squares(2)}
    with pytest.raises(ValueError, match="of image a have no scores"):
        evaluate_coco(truth, truth, ["cell"])
    with pytest.raises(ValueError, match="without ground truth"):
        evaluate_coco(truth, {"b": row_of_squares(2, True)}, ["cell"])
    with pytest.raises(ValueError, match="Image a has 20 x 24 pixels in the ground truth and 20 x"):
        evaluate_coco(truth, {"a": row_of_squares(3, True)}, ["cell"])


def test_nothing_is_heard(capsys):
    evaluate_coco({f"{i}": row_of_squares(1) for i in range(100)}, {}, CLASSES)
    assert capsys.readouterr() == ("", "")
