"""Learning curves: quality over the annotations it took."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.files import read_text, write_text

COLUMNS = (
    "iteration",
    "labelled",
    "instances",
    "pseudo_labelled",
    "AP",
    "AP50",
    "AP75",
    "APs",
    "APm",
    "APl",
)


@dataclass(frozen=True)
class CurvePoint:
    """What one iteration reached and what it was trained on.

    Attributes:
        iteration: its number.
        labelled_images: annotated by the oracle.
        labelled_instances: in those images.
        pseudo_labelled: images labelled by the model itself.
        AP: COCO's mean average precision in [0, 1]; like all below, None where undefined.
        AP50: at IoU 0.5.
        AP75: at IoU 0.75.
        APs: of small objects.
        APm: of medium objects.
        APl: of large objects.
    """

    iteration: int
    labelled_images: int
    labelled_instances: int
    pseudo_labelled: int
    AP: float | None = None
    AP50: float | None = None
    AP75: float | None = None
    APs: float | None = None
    APm: float | None = None
    APl: float | None = None

    @classmethod
    def from_metrics(cls, metrics: Mapping[str, Any]) -> "CurvePoint":
        """From the metrics of an iteration, which may say more than a point keeps."""
        return cls(**{field.name: metrics[field.name] for field in fields(cls)})


def area_under_curve(x: Sequence[float], y: Sequence[float]) -> float:
    """The mean height of a curve: its area by the trapezoidal rule over the width of x.

    Args:
        x: [N], strictly increasing, N at least 1.
        y: [N].

    Returns:
        In the unit of y; y itself for a single point.

    Raises:
        ValueError: x and y differ in length, are empty or x does not increase.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape or not len(x) or not (np.diff(x) > 0).all():
        raise ValueError(f"A curve needs as many x, strictly increasing, as y: {x} and {y}.")
    if len(x) == 1:
        return float(y[0])
    return float(np.trapezoid(y, x) / (x[-1] - x[0]))


def write_curve(path: str | os.PathLike, points: Sequence[CurvePoint]) -> None:
    """Replaces curve.csv; numbers keep every digit, what is undefined stays blank."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for point in points:
        values = astuple(point)
        metrics = ["" if value is None else repr(float(value)) for value in values[4:]]
        writer.writerow([*map(int, values[:4]), *metrics])
    write_text(path, text.getvalue())


def read_curve(path: str | os.PathLike) -> list[CurvePoint]:
    """Reads what `write_curve` wrote.

    Raises:
        UserError: the file is missing, has other columns or holds something else than numbers.
    """
    rows = list(csv.reader(read_text(path, "learning curve").splitlines()))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise UserError(
            f"The learning curve {path} does not have the columns {', '.join(COLUMNS)}."
        )
    points = []
    for line, row in enumerate(rows[1:], start=2):
        try:
            if len(row) != len(COLUMNS):
                raise ValueError(f"{len(row)} columns instead of {len(COLUMNS)}")
            counts = [int(cell) for cell in row[:4]]
            metrics = [float(cell) if cell else None for cell in row[4:]]
        except ValueError as error:
            raise UserError(f"Line {line} of the learning curve {path}: {error}.") from error
        points.append(CurvePoint(*counts, *metrics))
    return points
