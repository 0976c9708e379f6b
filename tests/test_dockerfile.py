"""The image is built from what the Dockerfile copies, and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


def copied():
    """The files that COPY names, but for the code."""
    lines = (PROJECT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    names = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    return [name for name in names if name != "mrcnn_al"]


def test_what_is_copied_is_enough_for_setup(tmp_path):
    pytest.importorskip("setuptools")
    for name in copied():
        shutil.copy(PROJECT / name, tmp_path)
    (tmp_path / "mrcnn_al").mkdir()
    shutil.copy(PROJECT / "mrcnn_al" / "__init__.py", tmp_path / "mrcnn_al")
    command = [sys.executable, "setup.py", "--name"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert found.stdout.split()[-1:] == ["mrcnn-al"], found.stderr


def test_what_is_copied_is_not_left_out_of_the_build():
    allowed = (PROJECT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {f"!{name}" for name in [*copied(), "mrcnn_al"]} <= set(allowed)
