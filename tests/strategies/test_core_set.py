import numpy as np
import pytest
from template import features_of, unscored_pool

from mrcnn_al.strategies import make_strategy
from mrcnn_al.strategies.k_center import farthest_first, squared_distances
from mrcnn_al.uncertainty.image_features import ImageFeatures
from mrcnn_al.uncertainty.score_row import ScoreRow


def literal_farthest_first(points, centres, count):
    """Algorithm 1 of Sener and Savarese, distance by distance."""
    points, centres = points.astype(np.float64), [*centres.astype(np.float64)]
    chosen = []
    for _ in range(count):
        free = [index for index in range(len(points)) if index not in chosen]
        farthest = max(
            free, key=lambda index: min(np.linalg.norm(points[index] - c) for c in centres)
        )
        chosen.append(farthest)
        centres.append(points[farthest])
    return chosen


@pytest.mark.parametrize("seed", range(10))
def test_random_points(seed):
    rng = np.random.default_rng(seed)
    # Away from the origin, as pooled features are.
    points = rng.normal(3, 1, (rng.integers(5, 80), rng.integers(1, 30))).astype(np.float32)
    centres = rng.normal(3, 1, (rng.integers(1, 9), points.shape[1])).astype(np.float32)
    count = int(rng.integers(1, len(points) + 1))
    expected = literal_farthest_first(points, centres, count)
    assert farthest_first(points.copy(), centres.copy(), count) == expected


def test_many_points_go_in_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(101, 8)).astype(np.float32)
    centres = rng.normal(size=(23, 8)).astype(np.float32)
    expected = ((points[:, None] - centres[None]) ** 2).sum(axis=2).min(axis=1)
    whole = squared_distances(points.copy(), centres.copy())
    np.testing.assert_allclose(whole, expected, rtol=1e-4)
    monkeypatch.setattr("mrcnn_al.strategies.k_center._POINTS", 10)
    monkeypatch.setattr("mrcnn_al.strategies.k_center._CENTRES", 7)
    np.testing.assert_allclose(squared_distances(points, centres), whole, rtol=1e-4, atol=1e-5)


def test_alike_points_are_chosen_once_each():
    points = np.ones((5, 3), np.float32)
    assert farthest_first(points, np.ones((1, 3), np.float32), 5) == [0, 1, 2, 3, 4]


def test_without_centres_the_middle_comes_first():
    points = np.array([[0.0], [4.0], [5.0], [10.0]], np.float32)
    assert farthest_first(points, np.zeros((0, 1), np.float32), 3) == [2, 0, 3]


def test_what_is_labelled_is_covered_already():
    rows = [ScoreRow("near"), ScoreRow("far"), ScoreRow("farther")]
    features = ImageFeatures(
        ("far", "labelled", "near", "farther"),
        np.array([[9, 0], [0, 0], [1, 0], [0, 12]], np.float32),
    )
    query = make_strategy("core-set").query(rows, 2, np.random.default_rng(0), True, features)
    assert query.image_ids == ("farther", "far")
    assert query.reasons == ("core-set", "core-set")
    assert query.utilities == pytest.approx({"near": 1.0, "far": 9.0, "farther": 12.0}, rel=1e-5)


def test_a_balanced_batch_covers_across_classes():
    """What one class has chosen is a centre for the next."""
    rows = [
        ScoreRow(name, 1.0, 1, mask_by_class=((class_id, 1.0),), passes=1)
        for name, class_id in (("a", 1), ("b", 2), ("c", 2), ("d", 2))
    ]
    features = ImageFeatures(
        ("a", "b", "c", "d", "old"), np.array([[10], [10], [6], [5], [0]], np.float32)
    )
    strategy = make_strategy("core-set", balanced=True)
    query = strategy.query(rows, 2, np.random.default_rng(0), features=features)
    assert query.image_ids == ("a", "d")


def test_the_features_are_left_as_they_are():
    rows = unscored_pool(9)
    features = features_of(rows)
    before = features.values.copy()
    make_strategy("core-set").query(rows, 4, np.random.default_rng(0), True, features)
    np.testing.assert_array_equal(features.values, before)


def test_features_are_needed_for_every_image():
    strategy, rows = make_strategy("core-set"), unscored_pool(4)
    with pytest.raises(ValueError, match="needs the features"):
        strategy.query(rows, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="Image 'unscored-3' has no features"):
        strategy.query(rows, 2, np.random.default_rng(0), features=features_of(rows[:3]))
    with pytest.raises(ValueError, match=r"\(2, 3\) features of 1 images"):
        ImageFeatures(("a",), np.zeros((2, 3), np.float32))
