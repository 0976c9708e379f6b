"""COCO results: what goes out comes back."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.coco_results import from_coco_results, to_coco_results
from mrcnn_al.instances import Instances

# pycocotools 2.0.11 and NumPy 2 disagree about a keyword that changes nothing.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CATEGORIES = (3, 7, 90)


def random_instances(random, height, width, count):
    masks, boxes = [], []
    for _ in range(count):
        y1, x1 = random.integers(0, (height, width))
        y2, x2 = random.integers((y1 + 1, x1 + 1), (height + 1, width + 1))
        boxes.append((y1, x1, y2, x2))
        # Sparse, so that some masks are smaller than their boxes or empty.
        masks.append(random.random((y2 - y1, x2 - x1)) < random.choice([0.02, 0.6]))
    scores = random.random(count).astype(np.float32)
    return Instances(height, width, random.integers(1, 4, count), boxes, masks, scores)


def assert_same(left, right):
    assert (left.height, left.width) == (right.height, right.width)
    for name in ("class_ids", "boxes", "scores", "crowd"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    for one, other in zip(left.masks, right.masks, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", range(10))
def test_round_trip_through_json(seed):
    random = np.random.default_rng(seed)
    detections = {
        name: random_instances(random, *random.integers(1, 50, 2).tolist(), random.integers(1, 9))
        for name in ("12", "007", "cell_a", "٣", "-5")
    }
    nothing = {"none": Instances.empty(9, 9, scored=True)}
    results = json.loads(json.dumps(to_coco_results(detections | nothing, CATEGORIES)))
    restored = from_coco_results(results, CATEGORIES)
    assert list(restored) == list(detections)
    for image_id, instances in detections.items():
        assert_same(restored[image_id], instances)


def test_the_format():
    mask = np.zeros((6, 8, 1), bool)
    mask[1:3, 4:8] = True
    detections = {"42": Instances.from_dense(mask, [2], [0.5])}
    (result,) = to_coco_results(detections, CATEGORIES)
    assert result["image_id"] == 42
    assert result["category_id"] == 7
    assert result["bbox"] == [4, 1, 4, 2]
    assert result["segmentation"]["size"] == [6, 8]
    assert isinstance(result["segmentation"]["counts"], str)
    assert result["score"] == 0.5


def test_fractional_boxes_grow_to_pixels_and_masks():
    mask = np.zeros((6, 8, 1), bool)
    mask[1:3, 4:8] = True
    (result,) = to_coco_results({"42": Instances.from_dense(mask, [2], [0.5])}, CATEGORIES)
    result["bbox"] = [2.5, 1.4, 3.2, 2.9]
    restored = from_coco_results([result], CATEGORIES)["42"]
    assert restored.boxes.tolist() == [[1, 2, 5, 8]]
    np.testing.assert_array_equal(restored.dense(), mask)


def test_ground_truth_is_no_result():
    truth = Instances.from_dense(np.ones((2, 2, 1), bool), [1])
    with pytest.raises(ValueError, match="without scores"):
        to_coco_results({"1": truth}, CATEGORIES)


@pytest.mark.parametrize(
    "change", [{"category_id": 5}, {"segmentation": [[1, 2, 3]]}, {"bbox": None}, {"score": "x"}]
)
def test_an_unusable_entry_is_named(change):
    instances = Instances.from_dense(np.ones((2, 2, 1), bool), [1], [0.5])
    results = to_coco_results({"1": instances, "2": instances}, CATEGORIES)
    with pytest.raises(UserError, match="Entry 1 "):
        from_coco_results([results[0], results[1] | change], CATEGORIES)


def test_masks_of_one_image_must_agree_in_size():
    small = Instances.from_dense(np.ones((2, 2, 1), bool), [1], [0.5])
    large = Instances.from_dense(np.ones((3, 3, 1), bool), [1], [0.5])
    results = [*to_coco_results({"1": small}, (1,)), *to_coco_results({"1": large}, (1,))]
    with pytest.raises(UserError, match="sizes"):
        from_coco_results(results, (1,))


def test_a_mask_keeps_no_more_in_memory_than_its_pixels():
    mask = np.zeros((400, 500, 1), bool)
    mask[10:13, 20:24] = True
    found = Instances.from_dense(mask, [1])
    results = to_coco_results({"1": replace(found, scores=np.ones(1, np.float32))}, CATEGORIES)
    (read,) = from_coco_results(results, CATEGORIES)["1"].masks
    assert read.shape == (3, 4)
    assert read.base is None or read.base.size == 12
