"""Overlaps of masks with the bits of pycocotools."""

import numpy as np
import pytest
from coco_cases import random_case
from pycocotools import mask as coco_mask

from mrcnn_al.evaluation.coco_overlaps import Comparison
from mrcnn_al.instances import Instances


def of_coco(found, truth):
    """Pairs of detection and object, and their IoU, of all pairs of a class from 0.5 on."""
    pairs, row, column = {}, 0, 0
    for detections, objects in zip(found, truth, strict=True):
        encoded = [
            coco_mask.encode(np.asfortranarray(one.dense().astype(np.uint8)))
            for one in (detections, objects)
        ]
        ious = coco_mask.iou(*encoded, objects.crowd.astype(int).tolist())
        for i in range(len(detections)):
            for j in range(len(objects)):
                if detections.class_ids[i] == objects.class_ids[j] and ious[i, j] >= 0.5:
                    pairs[row + i, column + j] = ious[i, j]
        row, column = row + len(detections), column + len(objects)
    return pairs


def overlaps_of(found, truth):
    """Pairs and their IoU, and all objects."""
    comparison = Comparison()
    for detections, objects in zip(found, truth, strict=True):
        comparison.add(detections, objects)
    _, listed, overlaps = comparison.result()
    pairs = zip(overlaps.found.tolist(), overlaps.truth.tolist(), strict=True)
    return dict(zip(pairs, overlaps.ious.tolist(), strict=True)), listed


def test_the_overlaps_of_pycocotools():
    ious, crowds = [], 0
    for seed in range(150):
        truths, founds, *_ = random_case(seed)
        # Images without detections are another test's matter.
        truth, found = [truths[name] for name in founds], list(founds.values())
        pairs, listed = overlaps_of(found, truth)
        assert pairs == of_coco(found, truth)
        ious += pairs.values()
        crowds += listed.crowd[[column for _, column in pairs]].sum() if pairs else 0
    assert len(ious) > 300
    assert crowds > 100
    assert {0.5, 0.75, 1.0} < set(ious)


@pytest.mark.parametrize("found_count", [0, 1])
@pytest.mark.parametrize("true_count", [0, 1])
def test_images_without_instances(found_count, true_count):
    square = Instances.from_dense(np.ones((4, 4, 1), bool), [1], np.array([0.5]))
    found, truth = [square.select(range(n)) for n in (found_count, true_count)]
    pairs, listed = overlaps_of([found, square], [truth, square])
    expected = {(found_count, true_count): 1.0} | (
        {(0, 0): 1.0} if found_count * true_count else {}
    )
    assert pairs == expected
    assert listed.images.tolist() == [0] * true_count + [1]


def test_no_image():
    assert overlaps_of([], [])[0] == {}
