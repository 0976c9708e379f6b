"""What a report reads from the files of a run."""

import numpy as np
import pytest

from mrcnn_al.report.run_record import read_run
from mrcnn_al.run_store import RunStore
from mrcnn_al.score_table import ScoreRecord
from mrcnn_al.strategies import make_strategy
from mrcnn_al.uncertainty.score_row import ScoreRow

ROWS = [
    ScoreRow("b", detections=1.0, detected_passes=2, mask=5.0, passes=2),
    ScoreRow("c", detections=1.0, detected_passes=2, mask=1.0, passes=2),
    ScoreRow("d", passes=2),
    ScoreRow("a", detections=1.0, detected_passes=1, mask=5.0, passes=2),
]


def zones_of(tmp_path, records):
    store = RunStore.create(tmp_path / "run", "run: {}")
    store.iteration(1).write_scores(records)
    return read_run(store.folder).iterations[0].zones


@pytest.mark.parametrize("strategy", ["mask", "least-confident"])
def test_images_have_the_zones_of_their_mask_uncertainty_under_any_strategy(tmp_path, strategy):
    given = make_strategy(strategy).query(ROWS, 1, np.random.default_rng(0)).zones
    records = [ScoreRecord(row, given.get(row.image_id, ""), "") for row in ROWS]
    expected = {"c": "low", "a": "low", "b": "medium", "d": "high"}
    assert zones_of(tmp_path, records) == expected


def test_images_that_were_not_scored_have_none(tmp_path):
    records = [ScoreRecord(ScoreRow(name)) for name in "ab"]
    assert zones_of(tmp_path, records) == {"a": "", "b": ""}
