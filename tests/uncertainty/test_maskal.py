"""MaskAL's uncertainty against full-size masks, pixel by pixel."""

import math

import numpy as np
import pytest

from mrcnn_al.instances import Instances
from mrcnn_al.uncertainty.maskal import instance_sets, maskal_uncertainties


def iou(one, other):
    both, either = np.logical_and(one, other).sum(), np.logical_or(one, other).sum()
    return both / either if either else 0.0


def box_iou(one, other):
    height = max(0, min(one[2], other[2]) - max(one[0], other[0]))
    width = max(0, min(one[3], other[3]) - max(one[1], other[1]))
    area, other_area = ((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return height * width / (area + other_area - height * width)


def literal_sets(passes):
    sets = []
    for number, instances in enumerate(passes):
        taken, masks = set(), instances.dense()
        for index in range(len(instances)):
            overlaps = [
                iou(masks[:, :, index], passes[members[0][0]].dense()[:, :, members[0][1]])
                if place not in taken and members[0][0] != number
                else 0
                for place, members in enumerate(sets)
            ]
            if overlaps and max(overlaps) > 0.5:
                place = overlaps.index(max(overlaps))
                sets[place].append((number, index))
                taken.add(place)
            else:
                sets.append([(number, index)])
    return sets


def literal_semantic(foreground):
    """As in the authors' code, `uncertainty.py`: torch's Categorical makes the sum 1."""
    if len(foreground) == 1:
        return foreground[0]
    shares = [p / sum(foreground) for p in foreground]
    return 1 + sum(p * math.log(p) for p in shares if p > 0) / math.log(len(shares))


def literal_uncertainties(passes, probabilities):
    result = []
    for members in literal_sets(passes):
        rows = [probabilities[number][index][1:] for number, index in members]
        semantic = sum(map(literal_semantic, rows)) / len(members)
        boxes = [passes[number].boxes[index].tolist() for number, index in members]
        mean_box = np.mean(boxes, axis=0)
        masks = [passes[number].dense()[:, :, index] for number, index in members]
        mean_mask = np.mean(masks, axis=0) >= 0.25
        by_box = sum(box_iou(box, mean_box) for box in boxes) / len(members)
        by_mask = sum(iou(mask, mean_mask) for mask in masks) / len(members)
        result.append(1 - semantic * by_box * by_mask * len(members) / len(passes))
    return result


def random_passes(random):
    """Passes over a few objects: each found or not, a little moved, sometimes twice."""
    height, width = random.integers(20, 50, 2)
    objects = [
        (random.integers(0, height - 8), random.integers(0, width - 8), *random.integers(5, 16, 2))
        for _ in range(random.integers(1, 6))
    ]
    passes, probabilities = [], []
    classes = int(random.integers(2, 6))
    for _ in range(random.integers(1, 9)):
        planes = []
        for top, left, tall, wide in objects:
            for _ in range(random.choice([0, 1, 1, 1, 1, 2])):
                y, x = max(0, top + random.integers(-1, 3)), max(0, left + random.integers(-1, 3))
                plane = np.zeros((height, width), bool)
                plane[y : y + tall, x : x + wide] = True
                plane[y : y + tall, x : x + wide] &= random.random(plane.shape)[
                    y : y + tall, x : x + wide
                ] > random.choice([0.0, 0.2])
                planes.append(plane)
        random.shuffle(planes)
        dense = np.stack(planes, axis=2) if planes else np.zeros((height, width, 0), bool)
        instances = Instances.from_dense(dense, random.integers(1, classes, len(planes)))
        passes.append(instances)
        probabilities.append(random.dirichlet(np.ones(classes), len(instances)))
    return passes, probabilities


@pytest.mark.parametrize("seed", range(30))
def test_random_passes(seed):
    passes, probabilities = random_passes(np.random.default_rng(seed))
    assert instance_sets(passes) == literal_sets(passes)
    measured = maskal_uncertainties(passes, probabilities)
    np.testing.assert_allclose(measured, literal_uncertainties(passes, probabilities), atol=1e-12)
    assert ((measured >= 0) & (measured <= 1)).all()


def square(top, left, size=10, class_id=1):
    mask = np.zeros((40, 40, 1), bool)
    mask[top : top + size, left : left + size] = True
    return Instances.from_dense(mask, [class_id])


def test_the_same_sure_object_in_all_passes_is_certain():
    sure = np.array([[0.0, 1.0, 0.0]])
    assert maskal_uncertainties([square(5, 5)] * 4, [sure] * 4).tolist() == [0.0]


@pytest.mark.parametrize(
    ("passes", "probabilities", "certainty"),
    [
        # Seen in one of four passes.
        ([square(5, 5), *[Instances.empty(40, 40)] * 3], [[0, 1, 0]], 1 / 4),
        # No idea of the class.
        ([square(5, 5)], [[1 / 3, 1 / 3, 1 / 3]], 0),
        ([square(5, 5)], [[1, 0, 0]], 0),
        # If it is something, it is the first class.
        ([square(5, 5)], [[0.5, 0.5, 0]], 1),
        # A single class.
        ([square(5, 5)], [[0.3, 0.7]], 0.7),
        # One pixel off: boxes of 100 pixels, the mean between them; masks that share 90 of 110.
        ([square(5, 5), square(5, 6)], [[0, 1, 0]], 95 / 105 * 100 / 110),
    ],
)
def test_by_hand(passes, probabilities, certainty):
    distributions = [np.array(probabilities)[: len(instances)] for instances in passes]
    measured = maskal_uncertainties(passes, distributions)
    assert measured == pytest.approx([1 - certainty], abs=1e-12)


def test_classes_do_not_keep_detections_apart():
    assert instance_sets([square(5, 5, class_id=1), square(5, 5, class_id=2)]) == [[(0, 0), (1, 0)]]


def test_of_one_pass_a_set_takes_one():
    mask = np.zeros((40, 40, 2), bool)
    mask[5:15, 5:15] = True
    twice = Instances.from_dense(mask, [1, 2])
    assert instance_sets([square(5, 5), twice]) == [[(0, 0), (1, 0)], [(1, 1)]]


def test_an_overlap_of_a_half_is_not_enough():
    assert len(instance_sets([square(0, 0, 12), square(0, 4, 12)])) == 2
    assert len(instance_sets([square(0, 0, 13), square(0, 4, 13)])) == 1


def test_masks_without_a_pixel_agree_with_nothing():
    hollow = Instances(9, 9, [1], [[3, 3, 5, 5]], (np.zeros((2, 2), bool),), [0.8])
    sure = np.array([[0.0, 1.0]])
    assert maskal_uncertainties([hollow, hollow], [sure, sure]).tolist() == [1.0, 1.0]


def test_without_detections():
    nothing = [Instances.empty(7, 5)] * 3
    assert instance_sets(nothing) == []
    assert maskal_uncertainties(nothing, [np.zeros((0, 3))] * 3).shape == (0,)
