"""Who gets which object, by hand."""

import numpy as np

from mrcnn_al.evaluation.coco_matching import IGNORED, RIGHT, WRONG, match
from mrcnn_al.evaluation.coco_overlaps import Listed, Overlaps

EVERYTHING, SMALL, MEDIUM, LARGE = range(4)
AT_50 = 0


def listed(areas, crowd=None, scores=None, images=None):
    count = len(areas)
    return Listed(
        np.array(images if images is not None else [0] * count),
        np.ones(count, int),
        np.array(areas),
        np.array(crowd if crowd is not None else [False] * count),
        None if scores is None else np.array(scores),
    )


def outcomes(found, truth, pairs, limit=100):
    """Of each detection for all areas at an IoU of 0.5; pairs are (detection, object, IoU)."""
    columns = (np.array(column) for column in zip(*pairs, strict=True))
    matching = match(found, truth, Overlaps(*columns), limit)
    return matching.outcome[:, EVERYTHING, AT_50].tolist(), matching


def test_the_best_score_comes_first():
    found = listed([50, 50], scores=[0.3, 0.9])
    seen, _ = outcomes(found, listed([50]), [(0, 0, 0.95), (1, 0, 0.5)])
    assert seen == [WRONG, RIGHT]


def test_of_equal_scores_the_first_and_of_equal_overlaps_the_last():
    found, truth = listed([50, 50], scores=[0.5, 0.5]), listed([50, 50])
    pairs = [(0, 0, 0.8), (0, 1, 0.8), (1, 1, 0.8)]
    assert outcomes(found, truth, pairs)[0] == [RIGHT, WRONG]


def test_a_crowd_takes_many_and_only_what_no_object_takes():
    found = listed([50, 50, 50], scores=[0.9, 0.8, 0.7])
    truth = listed([900, 50], crowd=[True, False])
    pairs = [(0, 0, 1.0), (0, 1, 0.6), (1, 0, 1.0), (2, 0, 1.0)]
    assert outcomes(found, truth, pairs)[0] == [RIGHT, IGNORED, IGNORED]


def test_both_bounds_belong_to_an_area_range():
    areas = [32**2, 32**2 + 1, 96**2, 96**2 + 1]
    # Far from everything, so that their own areas decide.
    found = listed(areas, scores=[0.9, 0.8, 0.7, 0.6])
    matching = outcomes(found, listed(areas), [(0, 0, 0.5)])[1]
    assert (matching.outcome[1:, SMALL, -1] == IGNORED).all()
    assert matching.outcome[:, MEDIUM, -1].tolist() == [WRONG, WRONG, WRONG, IGNORED]
    assert matching.outcome[:, LARGE, -1].tolist() == [IGNORED, IGNORED, WRONG, WRONG]
    assert matching.counted[:, SMALL].tolist() == [True, False, False, False]
    assert matching.counted[:, MEDIUM].tolist() == [True, True, True, False]
    assert matching.counted[:, LARGE].tolist() == [False, False, True, True]


def test_an_object_of_another_size_makes_a_detection_ignored():
    matching = outcomes(listed([900], scores=[0.9]), listed([1100]), [(0, 0, 0.8)])[1]
    assert matching.outcome[0, :, AT_50].tolist() == [RIGHT, IGNORED, RIGHT, IGNORED]
    # At thresholds above the overlap it is a false alarm among the small.
    assert matching.outcome[0, :, -1].tolist() == [WRONG, WRONG, IGNORED, IGNORED]


def test_the_limit_holds_in_each_image():
    found = listed([50] * 4, scores=[0.1, 0.9, 0.2, 0.3], images=[0, 0, 1, 1])
    truth = listed([50] * 2, images=[0, 1])
    pairs = [(0, 0, 0.9), (1, 0, 0.7), (2, 1, 0.9)]
    assert outcomes(found, truth, pairs, limit=1)[0] == [IGNORED, RIGHT, IGNORED, WRONG]
    assert outcomes(found, truth, pairs, limit=2)[0] == [WRONG, RIGHT, RIGHT, WRONG]
