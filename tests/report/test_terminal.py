"""Learning curves in characters."""

import pytest

from mrcnn_al.evaluation.learning_curve import CurvePoint
from mrcnn_al.report.terminal import draw_learning_curves


def curve(values, first=40):
    return [
        CurvePoint(i, first * i, 100 * i, 0, value, None if value is None else value + 0.2)
        for i, value in enumerate(values, start=1)
    ]


@pytest.mark.parametrize("width", [40, 57, 80, 200])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_asked(width, unicode):
    curves = {"a rather long name " * 9: curve([0.1, 0.3]), "b": curve([0.2, None, 0.7])}
    text = draw_learning_curves(curves, width=width, unicode=unicode)
    assert max(map(len, text.splitlines())) <= width
    assert text.isascii() or unicode


def test_points_are_where_they_belong():
    text = draw_learning_curves({"a": curve([0.0, 0.2, 0.4])}, width=47, height=7)
    plot = text.splitlines()[:7]
    # 40 columns for 40 to 120 images, 7 rows for 0.6 (the highest AP50) down to 0.
    marks = {
        (row, column)
        for row, line in enumerate(plot)
        for column, character in enumerate(line[7:])
        if character in "●○"
    }
    assert marks == {(6, 0), (4, 20), (2, 39), (4, 0), (2, 20), (0, 39)}
    assert plot[0].split()[0] == "0.60"
    assert plot[6].split()[0] == "0.00"


def test_every_run_has_its_own_marks_and_table():
    text = draw_learning_curves({"one": curve([0.1, 0.2]), "two": curve([0.4, 0.5])}, width=70)
    for mark in "●○■□":
        assert text.count(mark) == 3
    assert [line for line in text.splitlines() if line in ("one", "two")] == ["one", "two"]
    assert "        2      80       200 0.500 0.700" in text


def test_undefined_values_are_dashes():
    text = draw_learning_curves({"a": curve([None, 0.3])}, width=60)
    assert "        1      40       100     -     -" in text


def test_one_point_and_none():
    assert draw_learning_curves({"a": curve([0.5])}, width=60).count("●") == 2
    assert "No iteration" in draw_learning_curves({"a": []}, width=60)
    assert "No iteration" in draw_learning_curves({}, width=60)


def test_the_width_of_the_terminal_is_the_default(monkeypatch):
    monkeypatch.setenv("COLUMNS", "63")
    lines = draw_learning_curves({"a": curve([0.1, 0.5])}).splitlines()
    assert max(map(len, lines)) == 63
