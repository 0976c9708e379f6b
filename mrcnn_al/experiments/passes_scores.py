"""What many passes say of each image, kept in a file as it is found."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from mrcnn_al.errors import UserError
from mrcnn_al.files import read_text, write_text
from mrcnn_al.instances import Instances
from mrcnn_al.uncertainty.mask_variance import mask_variance
from mrcnn_al.uncertainty.score_row import ScoreRow

_COLUMNS = ("image_id", "passes", "detected_passes", "mask")

# Image id to number of passes to what so many say.
Scores = dict[str, dict[int, ScoreRow]]


def score_prefixes(
    image_id: str, passes: Sequence[Instances], counts: Sequence[int]
) -> dict[int, ScoreRow]:
    """The mask uncertainty of an image by the first T of its passes, for several T.

    Args:
        image_id: of the image.
        passes: its detections, at least as many as the largest T.
        counts: the T.
    """
    rows = {}
    for count in counts:
        first = passes[:count]
        by_class = mask_variance(first)
        rows[count] = ScoreRow(
            image_id,
            detected_passes=sum(len(instances) > 0 for instances in first),
            mask=sum(by_class.values()) / max(len(by_class), 1),
            passes=count,
        )
    return rows


def write_scores(path: Path, scores: Mapping[str, Mapping[int, ScoreRow]]) -> None:
    """Replaces the file by the scores of the images so far."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for image_id, rows in scores.items():
        for count, row in rows.items():
            writer.writerow((image_id, count, row.detected_passes, repr(float(row.mask))))
    write_text(path, text.getvalue())


def read_scores(path: Path) -> Scores:
    """The scores so far; none where there is no file.

    Raises:
        UserError: the file is not one of scores.
    """
    if not path.exists():
        return {}
    header, *lines = list(csv.reader(read_text(path, "scores").splitlines())) or [[]]
    scores: Scores = {}
    try:
        if tuple(header) != _COLUMNS:
            raise ValueError(f"its columns must be {', '.join(_COLUMNS)}")
        for image_id, passes, detected, mask in lines:
            row = ScoreRow(
                image_id, detected_passes=int(detected), mask=float(mask), passes=int(passes)
            )
            scores.setdefault(image_id, {})[row.passes] = row
    except ValueError as error:
        raise UserError(f"The file {path} is broken: {error}. Delete it.") from error
    return scores
