"""The folder of a run on disk, and the lock on it."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from mrcnn_al import files
from mrcnn_al.errors import UserError
from mrcnn_al.iteration_files import IterationFiles
from mrcnn_al.pool import PoolState

_LOCK = ".lock"
_NAMES = ("config.yaml", "pool.json", "curve.csv", "report.html")


def cache_beside(run_folder: str | Path) -> Path:
    """Where a run keeps what is costly to make and the same for all runs."""
    return Path(run_folder).parent / ".cache"


class RunStore:
    """The folder of a run. Whoever writes into it holds its lock meanwhile.

    Attributes:
        folder: of the run.
        config_path: everything needed to run it again, YAML.
        pool_path: the pool after the last finished iteration.
        curve_path: one line for each iteration.
        report_path: the HTML report.
        figures_folder: its pictures.
    """

    def __init__(self, folder: str | Path):
        """Knows where the files are without looking at them; see `create` and `open`."""
        self.folder = Path(folder)
        self.config_path = self.folder / "config.yaml"
        self.pool_path = self.folder / "pool.json"
        self.curve_path = self.folder / "curve.csv"
        self.report_path = self.folder / "report.html"
        self.figures_folder = self.folder / "figures"

    @classmethod
    def create(cls, folder: str | Path, config_text: str) -> "RunStore":
        """Starts a run in a folder that is new or empty.

        Raises:
            UserError: the folder holds a run or anything else, or cannot be made.
        """
        store = cls(folder)
        try:
            store.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"The folder {folder} cannot be made: {error}.") from error
        store.check_free()
        # Two processes may have found the folder empty; the second one to get here sees a run.
        with store.lock():
            store.check_free()
            files.write_text(store.config_path, config_text)
        return store

    @classmethod
    def open(cls, folder: str | Path) -> "RunStore":
        """An existing run.

        Raises:
            UserError: there is none in `folder`.
        """
        store = cls(folder)
        if not store.config_path.is_file():
            raise UserError(f"There is no run in {folder}: {store.config_path} does not exist.")
        return store

    def check_free(self) -> None:
        """Makes sure that a new run can start here.

        Raises:
            UserError: the folder holds a run or anything else.
        """
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise UserError(f"{self.folder} is a file. Choose another --out.")
        if self.config_path.exists():
            raise UserError(
                f"{self.folder} holds a run already. "
                "Continue it with --resume, or choose another --out."
            )
        ours = {self.folder / _LOCK, *self._leftovers()}
        if any(path not in ours for path in self.folder.iterdir()):
            raise UserError(
                f"{self.folder} holds other files. Choose another --out; "
                "--resume continues a run only where there is a config.yaml."
            )

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps all other processes from writing into the run.

        The operating system takes the lock back when the process ends, however it ends. What
        killed writers left half-written is removed first.

        Raises:
            UserError: the lock is held already, or cannot be taken in this folder.
        """
        with self._take_lock():
            for leftover in self._leftovers():
                leftover.unlink(missing_ok=True)
            yield

    def iteration(self, number: int) -> IterationFiles:
        """The files of one iteration, from 1, whether they exist or not."""
        return IterationFiles(number, self.folder / f"iteration_{number:03d}")

    def iterations(self) -> tuple[IterationFiles, ...]:
        """Those begun so far, ascending."""
        names = (path.name for path in self.folder.glob("iteration_*"))
        suffixes = (name.removeprefix("iteration_") for name in names)
        return tuple(map(self.iteration, sorted(int(n) for n in suffixes if n.isdecimal())))

    def write_config(self, text: str) -> None:
        """Replaces the configuration."""
        files.write_text(self.config_path, text)

    def read_config(self) -> str:
        """The text of the configuration.

        Raises:
            UserError: the file is missing or unreadable.
        """
        return files.read_text(self.config_path, "configuration")

    def write_pool(self, state: PoolState) -> None:
        """Commits the pool, which finishes an iteration."""
        files.write_json(self.pool_path, state.to_dict())

    def read_pool(self) -> PoolState:
        """The pool that was committed last.

        Raises:
            UserError: the file is missing or broken.
        """
        content = files.read_json(self.pool_path, "pool state")
        return PoolState.from_dict(content, str(self.pool_path))

    def _take_lock(self) -> TextIO:
        with contextlib.ExitStack() as on_failure:
            try:
                handle = on_failure.enter_context((self.folder / _LOCK).open("a"))
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"The run {self.folder} is in use by another process. "
                    "Wait until that has ended, or choose another --out."
                ) from None
            except OSError as error:
                raise UserError(f"The run {self.folder} cannot be locked: {error}.") from error
            on_failure.pop_all()
            return handle

    def _leftovers(self) -> list[Path]:
        """What killed writers left half-written; beside the run's files may lie others."""
        inside = [self.figures_folder, *(iteration.folder for iteration in self.iterations())]
        found = files.leftovers(self.folder, _NAMES)
        return found + [path for folder in inside for path in files.leftovers(folder)]
