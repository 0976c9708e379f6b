from collections import Counter

import numpy as np
import pytest

from mrcnn_al.strategies.zones import (
    ZONES,
    assign_zones,
    draw_from_zones,
    mask_utilities,
    normalised_uncertainties,
    rank,
    zone_quotas,
)
from mrcnn_al.uncertainty.score_row import ScoreRow


def detected(image_id, mask):
    return ScoreRow(image_id, detections=1.0, detected_passes=1, mask=mask, passes=10)


def undetected(image_id):
    return ScoreRow(image_id, passes=10)


def test_images_without_detection_rank_on_top():
    rows = [undetected("z"), detected("c", 900.0), undetected("a"), detected("b", 0.0)]
    assert [row.image_id for row in rank(rows)] == ["b", "c", "a", "z"]


def test_ties_are_ranked_by_image_id():
    assert [row.image_id for row in rank([detected(i, 5.0) for i in "cab"])] == ["a", "b", "c"]


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
    zones = assign_zones([detected(f"{i:03d}", float(i)) for i in range(count)], "rank")
    assert [list(zones.values()).count(name) for name in ZONES] == sizes
    in_rank_order = [zones[image_id] for image_id in sorted(zones)]
    assert in_rank_order == sorted(in_rank_order, key=ZONES.index)


def test_zones_by_value():
    masks = {"a": 10.0, "b": 43.0, "c": 44.0, "d": 76.0, "e": 77.0, "f": 110.0}
    rows = [undetected("x"), *(detected(image_id, mask) for image_id, mask in masks.items())]
    zones = assign_zones(rows, "value")
    assert [zones[image_id] for image_id in "abcdefx"] == [
        *("low", "low", "medium", "medium", "high", "high", "high")
    ]


def test_normalised_uncertainties():
    rows = [detected("a", 10.0), detected("b", 35.0), detected("c", 110.0), undetected("x")]
    assert normalised_uncertainties(rows) == {"a": 0.0, "b": 25.0, "c": 100.0, "x": 100.0}
    assert normalised_uncertainties([detected("a", 3.0), detected("b", 3.0)]) == {"a": 0, "b": 0}


def test_utilities_rank_like_the_ranking():
    rows = [undetected("a"), detected("b", 250.0), detected("c", 3.5)]
    assert mask_utilities(rows) == {"a": 251.0, "b": 250.0, "c": 3.5}


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
    choices = draw_from_zones(zones, 10, np.random.default_rng(0))
    assert Counter(reason for _, reason in choices) == {f"zone:{name}": 10 for name in ZONES}
    assert all(reason == f"zone:{zones[image_id]}" for image_id, reason in choices)


def test_every_image_of_a_zone_can_be_drawn():
    zones = {f"{name}-{index}": name for name in ZONES for index in range(4)}
    rng = np.random.default_rng(0)
    drawn = Counter(image_id for _ in range(400) for image_id, _ in draw_from_zones(zones, 1, rng))
    assert len(drawn) == 12
    # 400 draws of one in four: 100 expected, standard deviation 8.7.
    assert all(60 < count < 140 for count in drawn.values())


def test_other_zones_fill_up_in_turns():
    sizes = {"low": 9, "medium": 2, "high": 5}
    zones = {f"{name}-{index}": name for name, size in sizes.items() for index in range(size)}
    choices = draw_from_zones(zones, 5, np.random.default_rng(1))
    assert Counter(reason for _, reason in choices) == {
        "zone:low": 5,
        "zone:medium": 2,
        "zone:high": 5,
        "zone:low:fill": 3,
    }
    sizes = {"low": 9, "medium": 2, "high": 8}
    zones = {f"{name}-{index}": name for name, size in sizes.items() for index in range(size)}
    fills = [reason for _, reason in draw_from_zones(zones, 5, np.random.default_rng(1))][12:]
    assert fills == ["zone:high:fill", "zone:low:fill", "zone:high:fill"]
