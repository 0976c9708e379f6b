"""Precision and recall with the bits of pycocotools, in random evaluations full of rare cases."""

import contextlib
import io

import numpy as np
import pytest
from coco_cases import coco_evaluation, random_case

from mrcnn_al.evaluation.coco_map import METRICS, CocoEvaluation, evaluate_coco
from mrcnn_al.instances import Instances

CASES = 120


def assert_same_bits(ours, theirs):
    theirs = np.ascontiguousarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype == np.float64
    assert ours.tobytes() == theirs.tobytes()


def tables_of(truth, found, class_count, limit):
    evaluation = CocoEvaluation(range(class_count), limit)
    for name in sorted(truth):
        nothing = Instances.empty(truth[name].height, truth[name].width, scored=True)
        evaluation.add(name, truth[name], found.get(name, nothing))
    return evaluation.tables()


def number(value):
    return -1.0 if value is None else value


@pytest.mark.parametrize("block", range(5))
def test_the_tables_and_numbers_of_pycocotools(block):
    between = 0
    for seed in range(block * CASES, (block + 1) * CASES):
        truth, found, class_count, limit = random_case(seed)
        limits = sorted({1, 10, 100, limit})
        evaluation = coco_evaluation(truth, found, class_count, limits)
        for index, most in enumerate(limits):
            tables = tables_of(truth, found, class_count, most)
            assert_same_bits(tables.precision, evaluation.eval["precision"][..., index])
            assert_same_bits(tables.recall, evaluation.eval["recall"][..., index])

        evaluation = coco_evaluation(truth, found, class_count, (1, 10, 100))
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation.summarize()
        names = [f"class {i}" for i in range(class_count)]
        metrics = {most: evaluate_coco(truth, found, names, most) for most in (1, 10, 100)}
        measured = [number(metrics[100][name]) for name in METRICS]
        measured += [number(metrics[most]["AR"]) for most in (1, 10, 100)]
        assert measured == evaluation.stats[:9].tolist()
        of_areas = tables_of(truth, found, class_count, 100).recall[..., 1:]
        of_areas = [recall[recall > -1] for recall in np.moveaxis(of_areas, 2, 0)]
        measured = [recall.mean() if recall.size else -1.0 for recall in of_areas]
        assert measured == evaluation.stats[9:].tolist()

        precision = evaluation.eval["precision"][:, :, :, 0, -1]
        for index, name in enumerate(names):
            expected = precision[:, :, index]
            expected = expected[expected > -1].mean() if (expected > -1).any() else -1.0
            assert number(metrics[100]["per_class"][name]["AP"]) == expected
        between += 0 < evaluation.stats[0] < 1
    # Perfect and hopeless cases alone would say little.
    assert between > CASES / 3


def test_the_cases_are_full_of_rare_ones():
    seen = dict.fromkeys(
        ("crowd", "tie", "no truth", "no detection", "absent", "no class", "bound", "empty", "cut"),
        0,
    )
    for seed in range(200):
        truth, found, class_count, limit = random_case(seed)
        true_classes = {int(k) for one in truth.values() for k in one.class_ids}
        found_classes = {int(k) for one in found.values() for k in one.class_ids}
        classes = set(range(1, class_count + 1))
        seen["absent"] += bool(classes & (found_classes - true_classes))
        seen["no class"] += bool(found_classes - classes)
        for name, objects in truth.items():
            seen["crowd"] += bool(objects.crowd.any())
            seen["bound"] += bool(np.isin(objects.areas(), [32**2, 96**2]).any())
            seen["no truth"] += not len(objects) and name in found and len(found[name])
            seen["no detection"] += bool(len(objects)) and not len(found.get(name, ()))
        for one in found.values():
            per_class = [one.scores[one.class_ids == k] for k in classes]
            seen["tie"] += any(len(set(scores)) < len(scores) for scores in per_class)
            seen["cut"] += any(len(scores) > limit for scores in per_class)
            seen["empty"] += not one.areas().all()
    assert min(seen.values()) > 10, seen
