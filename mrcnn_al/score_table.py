"""One line of scores.csv: what a strategy saw of an image, and what it made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from mrcnn_al.uncertainty.score_row import SCORE_COLUMNS, ScoreRow

RECORD_COLUMNS = (*SCORE_COLUMNS, "zone", "queried", "reason")
_FLOATS = tuple(field.name for field in fields(ScoreRow) if field.type is float)
_WHOLE = tuple(field.name for field in fields(ScoreRow) if field.type is int)


@dataclass(frozen=True)
class ScoreRecord:
    """A score row and its part in the query.

    Attributes:
        row: the scores of one unlabelled image.
        zone: `low`, `medium` or `high`; blank before the query and without zones.
        reason: why the image was queried; blank where it was not.
    """

    row: ScoreRow
    zone: str = ""
    reason: str = ""

    @property
    def queried(self) -> bool:
        """Whether the image is in the batch."""
        return bool(self.reason)


def record_to_line(record: ScoreRecord) -> dict[str, str]:
    """The fields of a line by column, floats exact to the last bit."""
    row = record.row
    classes = (f"{int(class_id)}:{float(value)!r}" for class_id, value in row.mask_by_class)
    return {
        "image_id": row.image_id,
        **{name: repr(float(getattr(row, name))) for name in _FLOATS},
        **{name: str(int(getattr(row, name))) for name in _WHOLE},
        "mask_by_class": ";".join(classes),
        "zone": record.zone,
        "queried": str(int(record.queried)),
        "reason": record.reason,
    }


def record_from_line(line: Mapping[str, str]) -> ScoreRecord:
    """The record that `record_to_line` was given.

    Raises:
        ValueError: a field is not what its column holds.
    """
    if line["queried"] != str(int(bool(line["reason"]))):
        raise ValueError("an image must have a reason exactly where it is queried")
    pairs = (pair.split(":") for pair in line["mask_by_class"].split(";") if pair)
    row = ScoreRow(
        image_id=line["image_id"],
        mask_by_class=tuple((int(class_id), float(value)) for class_id, value in pairs),
        **{name: float(line[name]) for name in _FLOATS},
        **{name: int(line[name]) for name in _WHOLE},
    )
    return ScoreRecord(row, line["zone"], line["reason"])
