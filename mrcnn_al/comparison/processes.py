"""Processes that do the runs, and end with this one."""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_SECONDS_TO_END = 5.0
_LAST_LINES = 15


class RunProcess(ABC):
    """A command of `mrcnn-al` that goes on elsewhere and writes a log.

    Args:
        log_path: what it writes is added there.
    """

    def __init__(self, log_path: Path):
        self.log_path = log_path
        log_path.parent.mkdir(parents=True, exist_ok=True)
        self._begin = log_path.stat().st_size if log_path.exists() else 0

    @abstractmethod
    def status(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""

    @abstractmethod
    def terminate(self) -> None:
        """Asks it to end."""

    @abstractmethod
    def end(self, seconds: float) -> None:
        """Waits for its end, at most so long, then makes it end."""

    def last_words(self) -> str:
        """The last lines that it has written."""
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as log:
            log.seek(self._begin)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])


class Child(RunProcess):
    """A process of its own on this machine, of the same Python and environment.

    It ends when this process ends, however that does; see `mrcnn_al/cli/child.py`.

    Args:
        arguments: of the command.
        log_path: what it writes is added there.
    """

    def __init__(self, arguments: Sequence[str], log_path: Path):
        super().__init__(log_path)
        with log_path.open("ab") as log:
            # A session of its own: Ctrl-C is for this process, which passes it on.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mrcnn_al.cli.child", *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def status(self) -> int | None:
        """See RunProcess."""
        return self._process.poll()

    def terminate(self) -> None:
        """See RunProcess."""
        if self.status() is None:
            self._process.terminate()

    def end(self, seconds: float) -> None:
        """See RunProcess."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdin.close()


def end_all(children: Iterable[RunProcess]) -> None:
    """Ends processes, with a few seconds to do so by themselves."""
    children = list(children)
    for child in children:
        child.terminate()
    deadline = time.monotonic() + _SECONDS_TO_END
    for child in children:
        child.end(max(0.0, deadline - time.monotonic()))


@contextlib.contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, by an exception, here SystemExit with 143.

    Only the main thread can ask for that; in others nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number, frame):
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
