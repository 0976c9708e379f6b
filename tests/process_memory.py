"""The memory in use, for tests that it does not grow."""

import gc
from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")

needs_status = pytest.mark.skipif(
    not STATUS.exists(), reason="this system does not tell the memory in use"
)


def memory():
    """Resident bytes that this process has written.

    Pages of files are left out: libraries of a gigabyte are mapped, and the system drops and reads
    again parts of them as it likes.
    """
    gc.collect()
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024
