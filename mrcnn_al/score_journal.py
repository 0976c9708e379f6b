"""The scores of a pool while it is being scored."""

import contextlib
import io
import json
import os
from pathlib import Path

from mrcnn_al.score_table import ScoreRecord, record_from_line, record_to_line
from mrcnn_al.uncertainty.score_row import ScoreRow


class ScoreJournal(contextlib.AbstractContextManager):
    """A file that grows by one line of JSON for each image that is scored.

    A process killed at any instant leaves whole lines and at most the beginning of one, so that
    only the image it was at is scored again. What comes after a damaged line does not count.

    Args:
        path: of the file; made if absent, else gone on with.

    Attributes:
        rows: the scores so far by image id, floats to the last bit.
    """

    def __init__(self, path: str | os.PathLike):
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without a buffer: a line is the operating system's as soon as it is added.
        self._file = io.FileIO(path, "a+")
        self._file.seek(0)
        self.rows, length = _whole_lines(self._file.read())
        self._file.truncate(length)

    def add(self, row: ScoreRow) -> None:
        """Keeps the scores of one image."""
        line = json.dumps(record_to_line(ScoreRecord(row)))
        self._file.write(f"{line}\n".encode())
        self.rows[row.image_id] = row

    def __exit__(self, *error) -> None:
        self._file.close()


def _whole_lines(content: bytes) -> tuple[dict[str, ScoreRow], int]:
    """The rows up to the first line that is damaged or has no end, and their bytes."""
    rows: dict[str, ScoreRow] = {}
    length = 0
    for line in content.splitlines(keepends=True):
        try:
            row = record_from_line(json.loads(line)).row
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            break
        if not line.endswith(b"\n"):
            break
        rows[row.image_id] = row
        length += len(line)
    return rows, length
