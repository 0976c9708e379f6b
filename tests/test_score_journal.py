import dataclasses
import signal
import subprocess
import sys

import numpy as np
import pytest

from mrcnn_al.score_journal import ScoreJournal
from mrcnn_al.uncertainty.score_row import ScoreRow

ADD_FOR_EVER = """
import itertools, sys
from mrcnn_al.score_journal import ScoreJournal
from mrcnn_al.uncertainty.score_row import ScoreRow

with ScoreJournal(sys.argv[1]) as journal:
    for number in itertools.count(len(journal.rows)):
        journal.add(ScoreRow(f"{number}", mask=number / 7, passes=10))
        print(number, flush=True)
"""


def make_rows(count):
    rng = np.random.default_rng(0)
    floats = [f.name for f in dataclasses.fields(ScoreRow) if f.type is float]
    return [
        ScoreRow(
            f'image "{number}"\n,é',
            mask_by_class=((1, rng.random()), (3, rng.random())),
            **dict(zip(floats, rng.random(len(floats)).tolist(), strict=True)),
        )
        for number in range(count)
    ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "iteration_001" / "scored.jsonl"


def test_rows_are_there_to_the_last_bit(path):
    rows = make_rows(5)
    with ScoreJournal(path) as journal:
        assert journal.rows == {}
        for row in rows[:3]:
            journal.add(row)
        # Whoever looks now, and not only when it is closed.
        assert len(path.read_bytes().splitlines()) == 3
    with ScoreJournal(path) as journal:
        assert list(journal.rows.values()) == rows[:3]
        for row in rows[3:]:
            journal.add(row)
        assert list(journal.rows.values()) == rows
    with ScoreJournal(path) as journal:
        assert list(journal.rows.values()) == rows
        assert list(journal.rows) == [row.image_id for row in rows]


def test_wherever_it_was_cut_off(path):
    """What is whole is kept, what is not is taken away, and the rest follows."""
    rows = make_rows(3)
    with ScoreJournal(path) as journal:
        for row in rows:
            journal.add(row)
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        with ScoreJournal(path) as journal:
            kept = sum(end <= length for end in ends)
            assert list(journal.rows.values()) == rows[:kept], length
            for row in rows[kept:]:
                journal.add(row)
        assert path.read_bytes() == whole, length


@pytest.mark.parametrize("damage", [b"\xff\n", b"[]\n", b"{}\n", b"\0" * 50, b"[" * 10**5 + b"\n"])
def test_from_a_damaged_line_on_nothing_counts(path, damage):
    rows = make_rows(2)
    with ScoreJournal(path) as journal:
        journal.add(rows[0])
    first = path.read_bytes()
    path.write_bytes(first + damage + first)
    with ScoreJournal(path) as journal:
        assert list(journal.rows.values()) == rows[:1]
        journal.add(rows[1])
    with ScoreJournal(path) as journal:
        assert list(journal.rows.values()) == rows


def test_a_killed_process_leaves_all_that_it_said(path):
    said = 0
    for _ in range(3):
        command = [sys.executable, "-c", ADD_FOR_EVER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                for _ in range(20):
                    assert process.stdout.readline() == f"{said}\n"
                    said += 1
            finally:
                process.kill()
            said += len(process.stdout.read().splitlines())
        assert process.returncode == -signal.SIGKILL
        with ScoreJournal(path) as journal:
            # It may have been killed between adding a row and saying so.
            assert said <= len(journal.rows) <= said + 1
            said = len(journal.rows)
            expected = [ScoreRow(f"{n}", mask=n / 7, passes=10) for n in range(said)]
            assert list(journal.rows.values()) == expected
