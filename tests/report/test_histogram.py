"""The histogram of mask uncertainty."""

import numpy as np
import pytest
from pixels import count_pixels, read_pixels

from mrcnn_al.report.histogram import draw_uncertainty_histogram
from mrcnn_al.report.palette import INK, NEUTRAL, ZONES, rgb
from mrcnn_al.uncertainty.score_row import ScoreRow


def rows_and_zones(detected=10):
    rows = [ScoreRow(f"i{i}", detected_passes=detected, mask=i, passes=10) for i in range(30)]
    return rows, {f"i{i}": ("low", "medium", "high")[i // 10] for i in range(30)}


def test_histogram_has_the_colours_of_the_zones(tmp_path):
    draw_uncertainty_histogram(tmp_path / "h.png", *rows_and_zones())
    low, medium, high = (count_pixels(tmp_path / "h.png", colour) for colour in ZONES.values())
    assert min(low, medium, high) > 1000
    assert low == pytest.approx(high, rel=0.2)
    assert count_pixels(tmp_path / "h.png", NEUTRAL) == 0


def test_histogram_without_zones_is_neutral(tmp_path):
    draw_uncertainty_histogram(tmp_path / "h.png", rows_and_zones()[0], {})
    assert count_pixels(tmp_path / "h.png", NEUTRAL) > 1000


@pytest.mark.parametrize("rows", [[], rows_and_zones(detected=0)[0], rows_and_zones()[0][:1]])
def test_histogram_of_nothing_or_of_one(tmp_path, rows):
    draw_uncertainty_histogram(tmp_path / "h.png", rows, {})
    assert (tmp_path / "h.png").is_file()


def test_images_without_detections_have_a_bar_apart(tmp_path):
    rows, zones = rows_and_zones()
    draw_uncertainty_histogram(tmp_path / "without.png", rows, zones)
    rows += [ScoreRow(f"u{i}", passes=10) for i in range(2)]
    zones |= {"u0": "high", "u1": "high"}
    draw_uncertainty_histogram(tmp_path / "with.png", rows, zones)
    columns = []
    for name in ("without", "with"):
        high = (read_pixels(tmp_path / f"{name}.png") == rgb(ZONES["high"])).all(axis=2)
        # Of the axes only, the legend is below.
        columns.append(np.flatnonzero(high[: int(0.7 * len(high))].any(axis=0)))
    gaps = [int((np.diff(c) > 10).sum()) for c in columns]
    assert gaps[1] == gaps[0] + 1


def test_many_undetected_images_do_not_hide_the_others(tmp_path):
    rows, zones = rows_and_zones()
    draw_uncertainty_histogram(tmp_path / "few.png", rows, zones)
    rows += [ScoreRow(f"u{i}", passes=10) for i in range(900)]
    draw_uncertainty_histogram(tmp_path / "many.png", rows, zones)
    few, many = (count_pixels(tmp_path / f"{n}.png", ZONES["low"]) for n in ("few", "many"))
    assert many > few / 3


@pytest.mark.parametrize(("threshold", "shown"), [(None, False), (12.0, True), (0.0, True)])
def test_the_threshold_of_pseudo_labels_is_a_line(tmp_path, threshold, shown):
    draw_uncertainty_histogram(tmp_path / "h.png", *rows_and_zones(), threshold)
    ink = (read_pixels(tmp_path / "h.png") == rgb(INK)).all(axis=2)
    assert (ink.sum(axis=0).max() > 100) == shown


@pytest.mark.parametrize("threshold", [-5.0, 1000.0])
def test_a_threshold_off_the_scale_is_in_words(tmp_path, threshold):
    draw_uncertainty_histogram(tmp_path / "h.png", *rows_and_zones(), threshold)
    ink = (read_pixels(tmp_path / "h.png") == rgb(INK)).all(axis=2)
    assert ink.sum(axis=0).max() < 100
