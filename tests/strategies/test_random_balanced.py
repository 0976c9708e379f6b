import math
from collections import Counter

import numpy as np
import pytest

from mrcnn_al.strategies import make_strategy
from mrcnn_al.strategies.random_balanced import matched_chances
from mrcnn_al.uncertainty.score_row import ScoreRow


def pool(count, undetected=0):
    """Images whose mask uncertainty grows with the number of their objects, but not only."""
    rng = np.random.default_rng(3)
    objects = rng.integers(1, 30, count)
    return [
        *(
            ScoreRow(
                f"{index:03d}",
                detections=float(number),
                detected_passes=10,
                mask=float(number * rng.uniform(0.5, 1.5)),
                passes=10,
            )
            for index, number in enumerate(objects)
        ),
        *(ScoreRow(f"x-{index:03d}", passes=10) for index in range(undetected)),
    ]


@pytest.mark.parametrize("seed", range(10))
def test_chances_meet_size_and_mean_and_are_as_even_as_possible(seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 40, rng.integers(5, 200)).astype(np.float64)
    count = int(rng.integers(1, len(values)))
    mean = rng.choice(values, count, replace=False).mean()
    chances = matched_chances(values, count, mean)
    assert chances.sum() == pytest.approx(count, rel=1e-5)
    assert chances @ values / count == pytest.approx(mean, rel=1e-4, abs=1e-4)
    inside = (chances > 1e-9) & (chances < 1 - 1e-9)
    # Maximum entropy: the logarithms of the odds lie on a line over the values.
    odds = np.log(chances[inside] / (1 - chances[inside]))
    if len(np.unique(values[inside])) > 2:
        slope, shift = np.polyfit(values[inside], odds, 1)
        np.testing.assert_allclose(slope * values[inside] + shift, odds, atol=1e-3)


def test_equal_images_have_equal_chances():
    np.testing.assert_allclose(matched_chances(np.full(8, 3.0), 2, 3.0), 0.25, rtol=1e-6)


def test_a_mean_beyond_reach_takes_the_extremes():
    chances = matched_chances(np.array([1.0, 2.0, 3.0, 4.0]), 2, 9.0)
    np.testing.assert_allclose(chances, [0, 0, 1, 1], atol=1e-6)


@pytest.mark.parametrize("batch_size", [5, 40, 150])
def test_batches_have_the_objects_of_the_uncertain_ones(batch_size):
    rows = pool(250, undetected=50)
    objects = {row.image_id: row.detections for row in rows}
    top = sorted((r for r in rows if not r.undetected), key=lambda r: -r.mask)[:batch_size]
    target = np.mean([row.detections for row in top])
    strategy = make_strategy("random-balanced")
    means = []
    for seed in range(120):
        query = strategy.query(rows, batch_size, np.random.default_rng(seed))
        assert set(query.reasons) == {"random:matched"}
        means.append(np.mean([objects[image_id] for image_id in query.image_ids]))
    # Within four standard errors of the expectation.
    assert abs(np.mean(means) - target) < 4 * np.std(means) / math.sqrt(120) + 1e-3
    assert target > 1.2 * np.mean(list(objects.values()))


def test_images_with_as_many_objects_are_equally_likely():
    rows = [ScoreRow(f"{i}", 3.0, 10, mask=float(i), passes=10) for i in range(10)]
    drawn = Counter()
    for seed in range(200):
        drawn.update(
            make_strategy("random-balanced").query(rows, 2, np.random.default_rng(seed)).image_ids
        )
    # 200 draws of two in ten: 40 expected, standard deviation 5.7.
    assert all(17 < drawn[row.image_id] < 63 for row in rows)
