from collections import Counter

import numpy as np
import pytest
from template import varied_pool

from mrcnn_al.strategies import make_strategy
from mrcnn_al.strategies.mask_class import mask_class_quotas
from mrcnn_al.uncertainty.score_row import ScoreRow


def pool(detected, undetected=0):
    rng = np.random.default_rng(4)
    return [
        *(
            ScoreRow(
                f"{index:03d}",
                detections=1.0,
                detected_passes=10,
                mask=float(index),
                least_confident=float(rng.uniform(0, 0.3)),
                least_confident_mean=float(rng.uniform(0, 0.3)),
                passes=10,
            )
            for index in range(detected)
        ),
        *(ScoreRow(f"x-{index:03d}", passes=10) for index in range(undetected)),
    ]


@pytest.mark.parametrize(
    ("batch_size", "quotas"),
    [(40, (7, 9, 10)), (10, (2, 2, 2)), (80, (14, 18, 20)), (0, (0, 0, 0)), (1, (0, 0, 1))],
)
def test_quotas(batch_size, quotas):
    assert mask_class_quotas(batch_size) == quotas


def test_quotas_add_up_and_are_near_their_shares():
    for batch_size in range(200):
        each_zone, by_class, at_random = mask_class_quotas(batch_size)
        assert 3 * each_zone + by_class + at_random == batch_size
        assert min(each_zone, by_class, at_random) >= 0
        if batch_size >= 8:
            assert abs(each_zone - 7 * batch_size / 40) <= 0.5
            assert abs(by_class - 9 * batch_size / 40) <= 0.5


@pytest.mark.parametrize("aggregate", ["max", "mean"])
def test_the_batch_of_the_thesis(aggregate):
    rows = pool(300)
    strategy = make_strategy("mask-class", aggregate=aggregate)
    query = strategy.query(rows, 40, np.random.default_rng(0))
    assert Counter(query.reasons) == {
        "zone:low": 7,
        "zone:medium": 7,
        "zone:high": 7,
        "class": 9,
        "random": 10,
    }
    parts = {}
    for image_id, reason in zip(query.image_ids, query.reasons, strict=True):
        parts.setdefault(reason, []).append(image_id)
    in_zones = {i for name, part in parts.items() if name.startswith("zone") for i in part}
    field = "least_confident" if aggregate == "max" else "least_confident_mean"
    ranked = sorted(rows, key=lambda row: (-getattr(row, field), row.image_id))
    assert parts["class"] == [r.image_id for r in ranked if r.image_id not in in_zones][:9]


def test_at_most_a_third_by_class_is_without_detections():
    query = make_strategy("mask-class").query(pool(200, 100), 40, np.random.default_rng(0))
    counts = Counter(query.reasons)
    assert counts["class:undetected"] == 3
    assert counts["class"] == 6


def test_chance_gets_the_places_of_detected_images_that_are_not_there():
    query = make_strategy("mask-class").query(pool(0, 100), 40, np.random.default_rng(0))
    assert Counter(query.reasons) == {
        "zone:low": 7,
        "zone:medium": 7,
        "zone:high": 7,
        "class:undetected": 3,
        "random": 16,
    }


def literal_class_part(rows, zone_part, count):
    """The most uncertain that no zone gave, at most a third of them without any detection."""
    left = sorted((r for r in rows if r.image_id not in zone_part), key=lambda row: row.image_id)
    nothing = [row.image_id for row in left if row.undetected][: count // 3]
    detected = sorted((r for r in left if not r.undetected), key=lambda row: -row.least_confident)
    return nothing + [row.image_id for row in detected][: count - len(nothing)]


@pytest.mark.parametrize("seed", range(20))
def test_batches_are_composed_as_the_text_has_it(seed):
    rng = np.random.default_rng(seed)
    rows = varied_pool(int(rng.integers(3, 120)), seed)
    batch_size = int(rng.integers(1, len(rows) + 1))
    query = make_strategy("mask-class").query(rows, batch_size, rng)
    each = min(int(batch_size * 7 / 40 + 0.5), batch_size // 3)
    by_class = min(int(batch_size * 9 / 40 + 0.5), batch_size - 3 * each)
    zone_part = query.image_ids[: 3 * each]
    assert all(reason.startswith("zone:") for reason in query.reasons[: 3 * each])
    class_part = literal_class_part(rows, zone_part, by_class)
    assert list(query.image_ids[3 * each : 3 * each + len(class_part)]) == class_part
    assert set(query.reasons[3 * each + len(class_part) :]) <= {"random"}
    assert len(query.image_ids) == len(set(query.image_ids)) == batch_size
