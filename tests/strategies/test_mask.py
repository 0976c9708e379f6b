import dataclasses
from collections import Counter

import numpy as np
import pytest
from template import varied_pool

from mrcnn_al.strategies import make_strategy
from mrcnn_al.uncertainty.score_row import ScoreRow


def pool(masks):
    return [
        ScoreRow(f"{index:03d}", detections=1.0, detected_passes=10, mask=mask, passes=10)
        for index, mask in enumerate(masks)
    ]


@pytest.mark.parametrize(("batch_size", "each_zone", "at_random"), [(40, 10, 10), (10, 3, 1)])
def test_the_batches_of_the_thesis(batch_size, each_zone, at_random):
    strategy = make_strategy("mask")
    rows = pool(float(index) for index in range(300))
    query = strategy.query(rows, batch_size, np.random.default_rng(0))
    assert Counter(query.reasons) == {
        "zone:low": each_zone,
        "zone:medium": each_zone,
        "zone:high": each_zone,
        "random": at_random,
    }
    zones = query.zones
    for image_id, reason in zip(query.image_ids, query.reasons, strict=True):
        assert reason in (f"zone:{zones[image_id]}", "random")
        third = ("low", "medium", "high")[int(image_id) // 100]
        assert zones[image_id] == third


def literal_zones(rows):
    """Thirds of the ranking by mask uncertainty, images without any detection at its end."""
    ranked = sorted(rows, key=lambda row: (row.undetected, row.mask, row.image_id))
    return {row.image_id: 3 * rank // len(ranked) for rank, row in enumerate(ranked)}


def literal_reasons(rows, batch_size):
    """A quarter from each zone, the rest at random; in turns the others fill a zone up."""
    names, each = ("low", "medium", "high"), min(int(batch_size / 4 + 0.5), batch_size // 3)
    sizes = [list(literal_zones(rows).values()).count(zone) for zone in range(3)]
    expected = Counter()
    for name, size in zip(names, sizes, strict=True):
        expected[f"zone:{name}"] = min(each, size)
    spare, turn = [max(size - each, 0) for size in sizes], 0
    while sum(expected.values()) < 3 * each:
        zone = 2 - turn % 3
        if spare[zone]:
            spare[zone] -= 1
            expected[f"zone:{names[zone]}:fill"] += 1
        turn += 1
    expected["random"] = batch_size - 3 * each
    return +expected


@pytest.mark.parametrize("name", ["mask", "semi"])
@pytest.mark.parametrize("seed", range(20))
def test_batches_are_composed_as_the_text_has_it(name, seed):
    rng = np.random.default_rng(seed)
    rows = varied_pool(int(rng.integers(3, 80)), seed)
    batch_size = int(rng.integers(1, len(rows) + 1))
    query = make_strategy(name).query(rows, batch_size, rng)
    names, zones = ("low", "medium", "high"), literal_zones(rows)
    assert query.zones == {image_id: names[zone] for image_id, zone in zones.items()}
    assert Counter(query.reasons) == literal_reasons(rows, batch_size)
    for image_id, reason in zip(query.image_ids, query.reasons, strict=True):
        assert reason == "random" or reason.split(":")[1] == names[zones[image_id]]


def test_zones_by_value_follow_the_scale():
    rows = pool([0.0] * 50 + [100.0] * 3)
    zones = make_strategy("mask", zones="value").query(rows, 1, np.random.default_rng(0)).zones
    assert Counter(zones.values()) == {"low": 50, "high": 3}


def test_the_random_part_comes_from_all_zones():
    strategy = make_strategy("mask")
    rows = pool(float(index) for index in range(30))
    zones = strategy.query(rows, 0, np.random.default_rng(0)).zones
    seen = Counter()
    for seed in range(200):
        query = strategy.query(rows, 10, np.random.default_rng(seed))
        seen.update(
            zones[image_id]
            for image_id, reason in zip(query.image_ids, query.reasons, strict=True)
            if reason == "random"
        )
    # 200 draws of one in three: 67 expected, standard deviation 6.7.
    assert all(40 < seen[name] < 94 for name in ("low", "medium", "high"))


def test_zones_are_of_the_whole_pool_in_balanced_batches():
    rows = [
        dataclasses.replace(row, mask_by_class=((1 + index % 2, 1.0),))
        for index, row in enumerate(pool(float(index) for index in range(60)))
    ]
    plain, balanced = (
        make_strategy("mask", balanced=balanced).query(rows, 20, np.random.default_rng(0))
        for balanced in (False, True)
    )
    assert plain.zones == balanced.zones
    assert Counter(balanced.reasons) == {
        f"class:{class_id}:{reason}": count
        for class_id in (1, 2)
        for reason, count in {"zone:low": 3, "zone:medium": 3, "zone:high": 3, "random": 1}.items()
    }
    for image_id, reason in zip(balanced.image_ids, balanced.reasons, strict=True):
        assert reason.endswith((f"zone:{balanced.zones[image_id]}", "random"))


def test_needs_scores():
    assert make_strategy("mask").uses_scores
    assert make_strategy("mask").pseudo_label_ids(pool([0.0] * 3), 1, ()) == ()
