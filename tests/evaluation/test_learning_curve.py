"""Learning curves: areas by hand, files there and back."""

import numpy as np
import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.learning_curve import (
    CurvePoint,
    area_under_curve,
    read_curve,
    write_curve,
)

POINTS = [
    CurvePoint(1, 40, 1200, 0, 0.1, 0.2, 1 / 3, 0.0, None, None),
    CurvePoint(2, 80, 2500, 7, 0.1 + 0.2, 1e-17, None, 0.25, 0.5, 1.0),
]


def test_area_by_hand():
    # 10 * 0.5 + 30 * 0.75 over a width of 40
    assert area_under_curve([0, 10, 40], [0.5, 0.5, 1.0]) == pytest.approx(27.5 / 40)
    assert area_under_curve([40, 80, 400], [0.3, 0.3, 0.3]) == pytest.approx(0.3)
    assert area_under_curve([40], [0.7]) == 0.7


@pytest.mark.parametrize(("x", "y"), [([], []), ([1, 2], [1]), ([2, 1], [0, 0]), ([1, 1], [0, 0])])
def test_no_curve_no_area(x, y):
    with pytest.raises(ValueError, match="strictly increasing"):
        area_under_curve(x, y)


def test_round_trip(tmp_path):
    write_curve(tmp_path / "curve.csv", POINTS)
    assert read_curve(tmp_path / "curve.csv") == POINTS
    write_curve(tmp_path / "curve.csv", [])
    assert read_curve(tmp_path / "curve.csv") == []


def test_numpy_scalars_are_numbers(tmp_path):
    point = CurvePoint(np.int64(1), np.int64(2), np.int64(3), 0, np.float64(0.1), 0)
    write_curve(tmp_path / "curve.csv", [point])
    assert read_curve(tmp_path / "curve.csv") == [CurvePoint(1, 2, 3, 0, 0.1, 0.0)]


def test_the_format(tmp_path):
    write_curve(tmp_path / "curve.csv", POINTS)
    header, first, second = (tmp_path / "curve.csv").read_text().splitlines()
    assert header == "iteration,labelled,instances,pseudo_labelled,AP,AP50,AP75,APs,APm,APl"
    assert first == "1,40,1200,0,0.1,0.2,0.3333333333333333,0.0,,"
    assert second.startswith("2,80,2500,7,0.30000000000000004,1e-17,,")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns"),
        ("iteration,AP\n1,0.5\n", "columns"),
        ("{header}\n1,40,1200,0,0.1,0.2\n", "Line 2.*6 columns"),
        ("{header}\n1,40,1200,0,,,,,,\n1,40,many,0,,,,,,\n", "Line 3.*many"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, message):
    header = "iteration,labelled,instances,pseudo_labelled,AP,AP50,AP75,APs,APm,APl"
    (tmp_path / "curve.csv").write_text(text.format(header=header))
    with pytest.raises(UserError, match=message):
        read_curve(tmp_path / "curve.csv")


def test_a_point_of_metrics():
    metrics = {
        "iteration": 3,
        "labelled_images": 120,
        "labelled_instances": 4000,
        "pseudo_labelled": 5,
        "AP": 0.5,
        "AP50": 0.75,
        "AP75": 0.5,
        "APs": None,
        "APm": 0.5,
        "APl": 0.5,
        "AR": 0.6,
        "per_class": {},
    }
    assert CurvePoint.from_metrics(metrics) == CurvePoint(
        3, 120, 4000, 5, 0.5, 0.75, 0.5, None, 0.5, 0.5
    )
