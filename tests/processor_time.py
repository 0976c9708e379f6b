"""Where a run of the tests spends its processor time: a table by file."""

import os
from collections import defaultdict
from pathlib import Path

import pytest

COLLECTION = "(imports, collection)"


def processor_seconds() -> float:
    """Of this process and of all its children that have ended, user and system."""
    return sum(os.times()[:4])


class ProcessorTime:
    """A pytest plugin that adds up processor time by test file, also of parallel processes.

    What a fixture of a wider scope costs is counted for the file whose test needed it first.

    Args:
        path: of the table, written when all is done.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds = defaultdict(float)
        self._items = defaultdict(int)

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self):
        begun = processor_seconds()
        try:
            return (yield)
        finally:
            self._seconds[COLLECTION] += processor_seconds() - begun

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        begun = processor_seconds()
        try:
            return (yield)
        finally:
            name = item.nodeid.partition("::")[0]
            self._seconds[name] += processor_seconds() - begun
            self._items[name] += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["processor_time"] = dict(self._seconds), dict(self._items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node, error) -> None:
        seconds, items = getattr(node, "workeroutput", {}).get("processor_time", ({}, {}))
        for name, value in seconds.items():
            self._seconds[name] += value
        for name, value in items.items():
            self._items[name] += value

    def pytest_terminal_summary(self, terminalreporter, config: pytest.Config) -> None:
        if hasattr(config, "workeroutput"):
            return
        rows = sorted(self._seconds.items(), key=lambda row: -row[1])
        total = sum(self._seconds.values()), sum(self._items.values())
        lines = ["| processor time, s | items | file |", "|---:|---:|---|"]
        lines += [f"| {seconds:.1f} | {self._items[name]} | {name} |" for name, seconds in rows]
        lines.append(f"| {total[0]:.1f} | {total[1]} | in all |")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        terminalreporter.write_line(
            f"{total[0]:.0f} s of processor time in {total[1]} items: {self._path}"
        )
