"""What batches are composed of."""

import pytest
from pixels import count_pixels

from mrcnn_al.report.batch_figures import (
    draw_batch_classes,
    draw_batch_composition,
    draw_batch_zones,
    images_per_class,
    instances_per_class,
    predictions_per_class,
)
from mrcnn_al.report.palette import NEUTRAL, SERIES, UNDETECTED, ZONES
from mrcnn_al.uncertainty.score_row import ScoreRow

INSTANCES = {"a": [3, 0, 1], "b": [0, 0, 2], "c": [0, 0, 0]}


def test_batch_composition_is_in_proportion(tmp_path):
    batch = ["zone:low"] * 10 + ["zone:high"] * 20 + ["random"] * 10
    draw_batch_composition(tmp_path / "b.png", {1: batch, 2: batch})
    low, high = (count_pixels(tmp_path / "b.png", ZONES[zone]) for zone in ("low", "high"))
    assert high / low == pytest.approx(2, rel=0.15)


def test_zones_are_in_proportion(tmp_path):
    batch = ["low"] * 10 + ["medium"] * 10 + ["high"] * 20
    draw_batch_zones(tmp_path / "z.png", {1: batch, 3: batch})
    low, high = (count_pixels(tmp_path / "z.png", ZONES[zone]) for zone in ("low", "high"))
    assert high / low == pytest.approx(2, rel=0.15)
    assert count_pixels(tmp_path / "z.png", NEUTRAL) == 0


def test_classes_are_in_proportion_and_absent_ones_left_out(tmp_path):
    counts = {1: [10, 0, 20], 2: [10, 0, 20, 5]}
    draw_batch_classes(tmp_path / "c.png", ("cat", "train", "toilet"), counts, "images")
    first, second, third = (count_pixels(tmp_path / "c.png", colour) for colour in SERIES[:3])
    assert third / first == pytest.approx(2, rel=0.15)
    assert second == 0
    assert count_pixels(tmp_path / "c.png", UNDETECTED) > 500


def test_counting():
    assert images_per_class(INSTANCES, 3) == [1, 0, 2]
    assert instances_per_class(INSTANCES, 3) == [3, 0, 3]
    rows = [
        ScoreRow("a", mask_by_class=((1, 4.0), (3, 0.0)), detected_passes=2, passes=2),
        ScoreRow("b", mask_by_class=((3, 4.0),), detected_passes=1, passes=2),
        ScoreRow("c", passes=2),
    ]
    assert predictions_per_class(rows, 3) == [1, 0, 2, 1]
