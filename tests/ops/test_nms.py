"""Non-maximum suppression: the reference's results, the rule itself, and both versions alike."""

import numpy as np
import pytest
from keras import ops

from mrcnn_al.ops import backend
from mrcnn_al.ops.nms import LEAST_BLOCK, suppress

pytestmark = pytest.mark.every_backend

VERSIONS = {
    "backend": backend.greedy_suppression,
    "everywhere": backend.greedy_suppression_everywhere,
}


def run(version, boxes, scores, limit, threshold, least_score=-1e9):
    index, kept = VERSIONS[version](
        ops.convert_to_tensor(boxes), ops.convert_to_tensor(scores), limit, threshold, least_score
    )
    index, kept = ops.convert_to_numpy(index), ops.convert_to_numpy(kept)
    assert index.shape == kept.shape == (limit,)
    assert not index[~kept].any()
    assert (np.sort(~kept) == ~kept).all()
    return index[kept]


def iou(a, b):
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if (sides <= 0).any():
        return 0.0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return sides.prod() / (area(a) + area(b) - sides.prod())


def by_the_rule(boxes, scores, limit, threshold, least_score=-1e9):
    kept = []
    for index in np.argsort(-scores, kind="stable"):
        if scores[index] <= least_score or len(kept) == limit:
            break
        if all(iou(boxes[index], boxes[other]) <= threshold for other in kept):
            kept.append(index)
    return np.array(kept, int)


def random_boxes(seed, count):
    """Boxes on a coarse grid: many overlaps, some without area, some equal, scores with ties."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 14, (count, 2))
    boxes = np.concatenate([corners, corners + rng.integers(0, 9, (count, 2))], axis=1)
    scores = rng.integers(0, max(2, count // 3), count) / count
    return boxes.astype(np.float32) / 32, scores.astype(np.float32)


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "parity" / "units" / "boxes.npz")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_keeps_what_the_reference_keeps(golden, version, threshold):
    boxes, scores = golden["nms_boxes_120"], golden["nms_scores_120"]
    expected = golden[f"nms_keep_120_tf_thr0{round(threshold * 10)}"]
    np.testing.assert_array_equal(run(version, boxes, scores, 120, threshold), expected)


@pytest.mark.parametrize("version", VERSIONS)
def test_stops_at_the_limit(golden, version):
    boxes, scores = golden["nms_boxes_120"], golden["nms_scores_120"]
    kept = run(version, boxes, scores, 10, 0.3)
    np.testing.assert_array_equal(kept, golden["nms_keep_120_tf_thr03_max10"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("seed", range(8))
def test_follows_the_greedy_rule_on_random_boxes(version, seed):
    boxes, scores = random_boxes(seed, 60)
    threshold = (0.0, 0.3, 0.45, 0.7)[seed % 4]
    limit = (60, 15)[seed % 2]
    expected = by_the_rule(boxes, scores, limit, threshold, 0.1)
    assert 5 < len(expected) < 60
    np.testing.assert_array_equal(run(version, boxes, scores, limit, threshold, 0.1), expected)


def test_both_versions_agree_on_many_boxes():
    for seed in range(3):
        boxes, scores = random_boxes(100 + seed, 700)
        runs = [run(version, boxes, scores, 500, 0.5) for version in VERSIONS]
        np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize("version", VERSIONS)
def test_boxes_without_area_are_kept_and_suppress_nothing(version):
    boxes = np.array([[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 1], [0, 0, 1, 1]], np.float32)
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    np.testing.assert_array_equal(run(version, boxes, scores, 4, 0.3), [0, 1, 2])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_threshold_is_strict(version):
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 0.5]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    np.testing.assert_array_equal(run(version, boxes, scores, 2, 0.5), [0, 1])
    np.testing.assert_array_equal(run(version, boxes, scores, 2, 0.49), [0])


def test_a_limit_above_the_number_of_boxes_pads():
    boxes, scores = random_boxes(0, 5)
    for version in VERSIONS:
        np.testing.assert_array_equal(
            run(version, boxes, scores, 9, 0.5), by_the_rule(boxes, scores, 9, 0.5)
        )


def test_classes_do_not_suppress_each_other():
    boxes = ops.convert_to_tensor(np.tile(np.array([0, 0, 1, 1], np.float32), (1, 4, 1)))
    candidates = ops.convert_to_tensor(np.array([[True, True, True, True]]))
    classes = ops.convert_to_tensor(np.array([[1, 2, 1, 2]], np.int32))
    kept = suppress(boxes, candidates, 0.3, classes)
    np.testing.assert_array_equal(ops.convert_to_numpy(kept), [[True, True, False, False]])
    kept = suppress(boxes, candidates, 0.3)
    np.testing.assert_array_equal(ops.convert_to_numpy(kept), [[True, False, False, False]])


def test_what_is_no_candidate_neither_stays_nor_suppresses():
    boxes = ops.convert_to_tensor(np.tile(np.array([0, 0, 1, 1], np.float32), (1, 3, 1)))
    candidates = ops.convert_to_tensor(np.array([[False, True, True]]))
    kept = suppress(boxes, candidates, 0.3)
    np.testing.assert_array_equal(ops.convert_to_numpy(kept), [[False, True, False]])


def test_a_long_chain_of_suppressions_settles():
    start = np.arange(40, dtype=np.float32)[:, None] * 0.4
    boxes = np.concatenate([start, 0 * start, start + 1, 0 * start + 1], axis=1)
    kept = suppress(
        ops.convert_to_tensor(boxes[None]), ops.convert_to_tensor(np.ones((1, 40), bool)), 0.3
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(kept)[0], np.arange(40) % 2 == 0)


def test_images_of_a_batch_are_separate():
    first, second = random_boxes(1, 30)[0], random_boxes(2, 30)[0]
    candidates = np.ones((2, 30), bool)
    together = suppress(
        ops.convert_to_tensor(np.stack([first, second])), ops.convert_to_tensor(candidates), 0.3
    )
    for row, boxes in zip(ops.convert_to_numpy(together), (first, second), strict=True):
        alone = suppress(
            ops.convert_to_tensor(boxes[None]), ops.convert_to_tensor(candidates[:1]), 0.3
        )
        np.testing.assert_array_equal(row, ops.convert_to_numpy(alone)[0])


@pytest.mark.parametrize("limit", [None, 5, 70])
def test_blocks_of_boxes_and_classes_follow_the_rule(limit):
    """More boxes than fit into a block; candidates are not the first ones only."""
    count, rng = 3 * LEAST_BLOCK + 10, np.random.default_rng(5)
    boxes, _ = random_boxes(3, count)
    classes, candidates = rng.integers(1, 4, count), rng.random(count) < 0.6
    scores = np.where(candidates, np.linspace(1, 0.5, count), 0).astype(np.float32)
    expected = np.zeros(count, bool)
    for number in (1, 2, 3):
        of_class = np.where(classes == number, scores, 0)
        expected[by_the_rule(boxes, of_class, count, 0.3, 0.1)] = True
    if limit is not None:
        expected &= np.cumsum(expected) <= limit
    assert expected.sum() == (limit or expected.sum()) > 4
    # Another image beside it is done after the first block.
    empty = np.zeros((1, count), bool)
    kept = suppress(
        ops.convert_to_tensor(np.stack([boxes, boxes])),
        ops.convert_to_tensor(np.concatenate([candidates[None], empty])),
        0.3,
        ops.convert_to_tensor(np.stack([classes, classes]).astype(np.int32)),
        limit,
    )
    kept = ops.convert_to_numpy(kept)
    np.testing.assert_array_equal(kept[0], expected)
    assert not kept[1].any()
