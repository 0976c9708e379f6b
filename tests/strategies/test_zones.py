from collections import Counter

import numpy as np
import pytest

from mrcnn_al.strategies import make_strategy
from mrcnn_al.strategies.base import ZONES
from mrcnn_al.strategies.batch import Batch
from mrcnn_al.strategies.candidates import Candidates
from mrcnn_al.strategies.zones import (
    assign_zones,
    draw_from_zones,
    normalised_uncertainties,
    zone_quotas,
)
from mrcnn_al.uncertainty.score_row import ScoreRow


def detected(image_id, mask):
    return ScoreRow(image_id, detections=1.0, detected_passes=1, mask=mask, passes=10)


def undetected(image_id):
    return ScoreRow(image_id, passes=10)


def zones_of(rows, rule):
    """Image id to the name of its zone."""
    everything = np.arange(len(rows))
    zones = assign_zones(Candidates(rows, everything), everything, rule)
    return {row.image_id: ZONES[zone] for row, zone in zip(rows, zones, strict=True)}


def draw(zones, each_zone, rng):
    """Image ids and reasons of a draw from the zones of images, in the order of their ids."""
    image_ids = sorted(zones)
    everything = np.arange(len(image_ids))
    candidates = Candidates([detected(image_id, 0.0) for image_id in image_ids], everything)
    batch = Batch(candidates, np.array([ZONES.index(zones[i]) for i in image_ids], np.int8))
    draw_from_zones(batch, everything, each_zone, rng)
    return list(zip(candidates.image_ids(batch.positions), batch.reasons, strict=True))


def test_images_without_detection_rank_on_top():
    rows = [undetected("a"), detected("b", 0.0), detected("c", 900.0)]
    assert zones_of(rows, "rank") == {"b": "low", "c": "medium", "a": "high"}


def test_ties_are_ranked_by_position():
    assert zones_of([detected(i, 5.0) for i in "abc"], "rank") == {
        "a": "low",
        "b": "medium",
        "c": "high",
    }


@pytest.mark.parametrize("rule", ["rank", "value"])
@pytest.mark.parametrize("seed", range(10))
def test_random_pools_against_the_text(rule, seed):
    rng = np.random.default_rng(seed)
    rows = [
        undetected(f"{index:03d}")
        if rng.random() < 0.2
        else detected(f"{index:03d}", float(rng.integers(0, 30)) ** 1.5)
        for index in range(int(rng.integers(0, 60)))
    ]
    ranked = sorted(rows, key=lambda row: (row.undetected, row.mask, row.image_id))
    expected, masks = {}, [row.mask for row in rows if not row.undetected]
    for position, row in enumerate(ranked):
        if rule == "rank":
            third = 3 * position // len(ranked)
        elif row.undetected:
            third = 2
        else:
            span = max(masks) - min(masks)
            value = 100 * (row.mask - min(masks)) / span if span else 0
            third = 0 if value < 100 / 3 else 1 if value < 200 / 3 else 2
        expected[row.image_id] = ZONES[third]
    assert zones_of(rows, rule) == expected


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, [0, 0, 0]),
        (1, [1, 0, 0]),
        (2, [1, 1, 0]),
        (3, [1, 1, 1]),
        (4, [2, 1, 1]),
        (5, [2, 2, 1]),
        (480, [160, 160, 160]),
    ],
)
def test_thirds_by_rank(count, sizes):
    zones = zones_of([detected(f"{i:03d}", float(i)) for i in range(count)], "rank")
    assert [list(zones.values()).count(name) for name in ZONES] == sizes
    in_rank_order = [zones[image_id] for image_id in sorted(zones)]
    assert in_rank_order == sorted(in_rank_order, key=ZONES.index)


def test_zones_by_value():
    masks = {"a": 10.0, "b": 43.0, "c": 44.0, "d": 76.0, "e": 77.0, "f": 110.0}
    rows = [undetected("x"), *(detected(image_id, mask) for image_id, mask in masks.items())]
    zones = zones_of(rows, "value")
    assert [zones[image_id] for image_id in "abcdefx"] == [
        *("low", "low", "medium", "medium", "high", "high", "high")
    ]


def test_zones_of_some_images():
    rows = [detected(image_id, float(ord(image_id))) for image_id in "abcdef"]
    among = np.array([1, 3, 5])
    zones = assign_zones(Candidates(rows, np.arange(6)), among, "rank")
    assert zones.tolist() == [-1, 0, -1, 1, -1, 2]


def test_normalised_uncertainties():
    rows = [detected("a", 10.0), detected("b", 35.0), detected("c", 110.0), undetected("x")]
    candidates = Candidates(rows, np.arange(4))
    assert normalised_uncertainties(candidates, np.arange(4)).tolist() == [0.0, 25.0, 100.0, 100.0]
    alike = Candidates([detected("a", 3.0), detected("b", 3.0)], np.arange(2))
    assert normalised_uncertainties(alike, np.arange(2)).tolist() == [0.0, 0.0]


def test_utilities_are_the_mask_uncertainties():
    rows = [undetected("a"), detected("b", 250.0), detected("c", 3.5)]
    query = make_strategy("mask").query(rows, 1, np.random.default_rng(0), return_utilities=True)
    assert query.utilities == {"a": 251.0, "b": 250.0, "c": 3.5}


@pytest.mark.parametrize(
    ("batch_size", "quotas"),
    [(0, (0, 0)), (1, (0, 1)), (2, (0, 2)), (3, (1, 0)), (4, (1, 1)), (10, (3, 1)), (40, (10, 10))],
)
def test_quotas(batch_size, quotas):
    assert zone_quotas(batch_size) == quotas


def test_quotas_are_close_to_quarters():
    for batch_size in range(3, 200):
        each_zone, at_random = zone_quotas(batch_size)
        assert 3 * each_zone + at_random == batch_size
        assert at_random >= 0
        assert abs(each_zone - batch_size / 4) <= 0.5


def test_each_zone_gives_its_share():
    zones = {f"{name}-{index}": name for name in ZONES for index in range(20)}
    choices = draw(zones, 10, np.random.default_rng(0))
    assert Counter(reason for _, reason in choices) == {f"zone:{name}": 10 for name in ZONES}
    assert all(reason == f"zone:{zones[image_id]}" for image_id, reason in choices)


def test_every_image_of_a_zone_can_be_drawn():
    zones = {f"{name}-{index}": name for name in ZONES for index in range(4)}
    rng = np.random.default_rng(0)
    drawn = Counter(image_id for _ in range(400) for image_id, _ in draw(zones, 1, rng))
    assert len(drawn) == 12
    # 400 draws of one in four: 100 expected, standard deviation 8.7.
    assert all(60 < count < 140 for count in drawn.values())


def test_other_zones_fill_up_in_turns():
    sizes = {"low": 9, "medium": 2, "high": 5}
    zones = {f"{name}-{index}": name for name, size in sizes.items() for index in range(size)}
    choices = draw(zones, 5, np.random.default_rng(1))
    assert Counter(reason for _, reason in choices) == {
        "zone:low": 5,
        "zone:medium": 2,
        "zone:high": 5,
        "zone:low:fill": 3,
    }
    sizes = {"low": 9, "medium": 2, "high": 8}
    zones = {f"{name}-{index}": name for name, size in sizes.items() for index in range(size)}
    fills = [reason for _, reason in draw(zones, 5, np.random.default_rng(1))][12:]
    assert fills == ["zone:high:fill", "zone:low:fill", "zone:high:fill"]
