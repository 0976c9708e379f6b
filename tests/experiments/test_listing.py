from pathlib import Path

import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.experiments.listing import COLUMNS, as_markdown, as_text, list_rows
from mrcnn_al.experiments.table import EXPERIMENTS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "experiments.md"


def test_the_document_and_the_table_agree():
    """Make it again with `mrcnn-al reproduce --list --markdown`."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.endswith("\n\n" + as_markdown())


def test_every_experiment_and_what_was_reported_is_in_the_document():
    lines = as_markdown().splitlines()[2:]
    assert [line.split(" | ")[0] for line in lines] == [f"| {n}" for n in (*EXPERIMENTS, "passes")]
    for line, experiment in zip(lines, EXPERIMENTS.values(), strict=False):
        assert f"`mrcnn-al reproduce {experiment.name} --data " in line
        assert experiment.finding in line
        assert experiment.reading in line
        assert all(arm.name in line for arm in experiment.arms)
        # Nothing in a cell may end it.
        assert line.count("|") == 5
    assert lines[-1].endswith("75 % (5), 84.5 % (10), 87 % (15), 86.5 % (20), – (25), 88 % (30). |")


def test_rows():
    rows = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in list_rows()}
    assert list(rows) == [*EXPERIMENTS, "passes"]
    assert rows["fig5.1"]["labelled images"] == "40 + 40 to 480 of 480"
    assert rows["fig5.1"]["turns"] == "12 × 25"
    assert rows["fig5.1"]["lines"] == "3"
    # 3 repeats of 3 lines of 25 epochs over 40, 80, ... 480 images.
    assert 3 * 3 * 25 * sum(range(40, 481, 40)) == 702_000
    assert rows["fig5.1"]["image-steps"] == "702 k"
    assert rows["fig5.2"]["labelled images"] == "4,200 + 4,200 to 50,400 of 50,400"
    assert rows["fig5.2"]["image-steps"] == "73.7 M"
    assert rows["passes"]["labelled images"] == "1,500 scored"


def test_rows_of_a_smaller_set():
    rows = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in list_rows(0.1, repeats=1)}
    assert rows["fig5.1"]["labelled images"] == "4 + 4 to 48 of 48"
    assert rows["fig5.1"]["image-steps"] == "23.4 k"
    with pytest.raises(UserError, match="out of range"):
        list_rows(2.5)


def test_columns_are_aligned():
    text = as_text([("a", "long cell"), ("longer", "b")], ("first", "second"))
    assert text == "first   second\na       long cell\nlonger  b"
