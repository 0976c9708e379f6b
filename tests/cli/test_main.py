import os
import subprocess
import sys

import pytest

from mrcnn_al.cli.main import main

SCRIPT = """
import os, sys
from mrcnn_al.cli.main import main

sys.argv = ["mrcnn-al", "--version"]
try:
    main()
except SystemExit:
    print(os.environ["TF_ENABLE_ONEDNN_OPTS"])
"""
NAMES = ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS")


def test_tensorflow_is_told_before_it_starts():
    given = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=given
    )
    assert done.stdout.splitlines()[-1] == "1"


def test_processes_begun_later_compute_as_a_tensorflow_that_runs_already(monkeypatch):
    pytest.importorskip("tensorflow")
    monkeypatch.setattr(sys, "argv", ["mrcnn-al", "--version"])
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit):
        main()
    assert not [name for name in NAMES if name in os.environ]
