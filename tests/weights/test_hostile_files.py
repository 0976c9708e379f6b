"""Damaged and hostile h5 files are loaded or refused with a message, and nothing else.

The HDF5 library is written in C, so a process of its own reads them, with a limit on memory and
time: a crash, a hang, an allocation too large or an exception other than a UserError ends it.
"""

import collections
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from amount import amount

SCRIPT = Path(__file__).with_name("hdf5_mutations.py")
FILES = amount("mutated h5 files", 300, 2_000)
# Kilobytes that reading one file of thirty may take. The bombs unpack to 16 MiB and more.
MOST_GROWTH = 12 * 1024


def read_mutations(folder, first, end, seconds):
    """(mutation, outcome) of each file."""
    command = [sys.executable, str(SCRIPT), str(folder), str(first), str(end)]
    begin = time.perf_counter()
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=seconds,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired as expired:
        last = (expired.stdout or b"").decode().splitlines()[-1:]
        pytest.fail(f"not through after {time.perf_counter() - begin:.0f} s, at {last}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"ended by {done.returncode} at {lines[-1:]}\n{done.stderr}"
    made = {line["index"]: line["mutation"] for line in lines if "mutation" in line}
    read = {line["index"]: line for line in lines if "outcome" in line}
    assert list(made) == list(read) == list(range(first, end))
    too_large = {made[i]: line for i, line in read.items() if line["grown"] > MOST_GROWTH}
    assert not too_large
    return [(made[index], read[index]["outcome"]) for index in made]


# What does no harm, and what must not be let through whatever its details are.
HARMLESS = {"_grow", "_cycle_of_groups", "_deep_name"}
HARMFUL = {
    *("_bomb", "_external_link", "_external_storage", "_huge_names", "_huge_without_data"),
    *("_large_chunks", "_many_layers", "_not_finite", "_objects", "_right_shape_without_data"),
    *("_some_chunks_missing", "_soft_loop", "_too_large_for_float32", "_truncate", "_virtual"),
}


def check(outcomes):
    by_mutation = collections.defaultdict(set)
    for mutation, outcome in outcomes:
        assert outcome.strip()
        by_mutation[mutation].add("loaded" if outcome == "loaded" else "refused")
    assert set(by_mutation) >= HARMLESS | HARMFUL
    for mutation, kinds in by_mutation.items():
        if mutation in HARMLESS:
            assert kinds == {"loaded"}, mutation
        if mutation in HARMFUL:
            assert kinds == {"refused"}, mutation


def test_mutated_files(tmp_path):
    check(read_mutations(tmp_path, 0, FILES, 900))


def test_a_process_that_fails_is_noticed(tmp_path):
    (tmp_path / "weights.h5").mkdir()
    with pytest.raises(AssertionError, match="ended by 1"):
        read_mutations(tmp_path, 0, 2, 60)
