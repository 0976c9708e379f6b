"""Crowds of the real COCO sample, in evaluation and in training."""

import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mrcnn_al.config import ModelConfig, TrainingConfig
from mrcnn_al.datasets.coco import CocoDataset
from mrcnn_al.evaluation.coco_map import evaluate_coco
from mrcnn_al.evaluation.coco_results import to_coco_results
from mrcnn_al.instances import Instances
from mrcnn_al.training.examples import ExampleMaker

SPLITS = ("train2017", "val2017")


@pytest.fixture(scope="module", params=SPLITS)
def split(request, shared):
    source = shared / "data" / "coco"
    path = source / "annotations" / f"instances_{request.param}.json"
    return path, CocoDataset(path, source / request.param)


def evaluated_by_coco(path, results, use_mask_area):
    """AP, AP50, AP75, APs, APm, APl of COCO's own code on COCO's own file."""
    # With a box beside it, pycocotools takes the area of the box for that of the mask.
    results = [{k: v for k, v in result.items() if k != "bbox"} for result in results]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(path)
        if use_mask_area:
            for annotation in truth.anns.values():
                annotation["area"] = int(truth.annToMask(annotation).sum())
        evaluation = COCOeval(truth, truth.loadRes(results), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:6]


def ours(truth, detections, dataset):
    metrics = evaluate_coco(truth, detections, dataset.class_names)
    return [metrics[name] for name in ("AP", "AP50", "AP75", "APs", "APm", "APl")]


def test_the_truth_as_detections_is_perfect(split):
    path, dataset = split
    truth = {image_id: dataset.load_instances(image_id) for image_id in dataset.image_ids}
    assert sum(instances.crowd.sum() for instances in truth.values()) >= 10
    found = {
        image_id: replace(instances, scores=np.ones(len(instances)))
        for image_id, instances in truth.items()
    }
    results = to_coco_results(found, dataset.category_ids)
    expected = evaluated_by_coco(path, results, use_mask_area=False)
    assert ours(truth, found, dataset)[:3] == pytest.approx([1, 1, 1], abs=1e-12)
    assert expected[:3] == pytest.approx([1, 1, 1], abs=1e-12)


def test_bad_detections_are_as_bad_as_coco_says(split):
    """Shifted, of another class, twice, inside of crowds, or missing."""
    path, dataset = split
    rng = np.random.default_rng(0)
    truth = {image_id: dataset.load_instances(image_id) for image_id in dataset.image_ids}
    found = {}
    for image_id, instances in truth.items():
        masks, class_ids = [], []
        for class_id, crowd, mask in zip(
            instances.class_ids, instances.crowd, np.moveaxis(instances.dense(), 2, 0), strict=True
        ):
            if crowd:
                # Three parts of a crowd: none of them may count as wrong.
                rows = np.arange(len(mask))[:, None] // max(1, len(mask) // 3)
                masks += [mask & (rows == part) for part in range(3)]
                class_ids += [class_id] * 3
                continue
            for _ in range(rng.integers(0, 3)):
                masks.append(np.roll(mask, rng.integers(-3, 4, 2), (0, 1)))
                wrong = rng.random() < 0.1
                class_ids.append(rng.integers(1, 81) if wrong else class_id)
        if masks:
            scores = rng.random(len(masks))
            found[image_id] = Instances.from_dense(np.dstack(masks), class_ids, scores)
    results = to_coco_results(found, dataset.category_ids)
    expected = evaluated_by_coco(path, results, use_mask_area=True)
    assert 0.1 < expected[0] < 0.9
    assert ours(truth, found, dataset) == pytest.approx(list(expected), abs=1e-9)
    # In COCO's file an area is that of the polygon, which decides at the borders of the ranges.
    original = evaluated_by_coco(path, results, use_mask_area=False)
    assert list(original[:3]) == pytest.approx(list(expected[:3]), abs=1e-9)
    assert list(original[3:]) == pytest.approx(list(expected[3:]), abs=0.02)


def test_crowds_are_trained_on_as_crowds(split):
    """The reference marks them by negative class ids, which no target is made of."""
    _, dataset = split
    model = ModelConfig.preset(
        "cpu", image_resize_mode="square", image_min_dim=256, image_max_dim=256, num_classes=81
    )
    maker = ExampleMaker(model, TrainingConfig())
    crowded = [i for i in dataset.image_ids if dataset.annotations(i).crowd.any()]
    assert len(crowded) >= 5
    for image_id in crowded[:5]:
        instances = dataset.load_instances(image_id)
        row = maker.make(dataset.load_image(image_id), instances, np.random.default_rng(0))
        class_ids = row["gt_class_ids"]
        expected = np.sort(instances.class_ids[instances.crowd])
        assert np.sort(-class_ids[class_ids < 0]).tolist() == expected.tolist()
        assert (class_ids > 0).sum() <= (~instances.crowd).sum()
