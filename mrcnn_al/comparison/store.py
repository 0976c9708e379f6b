"""The folder of a comparison on disk, and the lock on it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from mrcnn_al import files
from mrcnn_al.comparison.plan import Plan
from mrcnn_al.errors import UserError
from mrcnn_al.run_store import RunStore

_LOCK = ".lock"
_NAMES = ("comparison.yaml", "summary.json", "report.html")


class ComparisonStore:
    """Where the files of a comparison are, whether they exist or not.

    Attributes:
        folder: of the comparison.
        plan_path: everything needed to run it again, YAML.
        summary_path: its statistics, JSON.
        report_path: its page.
    """

    def __init__(self, folder: str | os.PathLike):
        """Knows where the files are without looking at them."""
        self.folder = Path(folder)
        self.plan_path = self.folder / "comparison.yaml"
        self.summary_path = self.folder / "summary.json"
        self.report_path = self.folder / "report.html"

    def run_folder(self, repeat: int, name: str) -> Path:
        """Of one run; `repeat` counts from 0, its folder from 1."""
        return self.folder / f"repeat_{repeat + 1:02d}" / name

    def log_path(self, repeat: int, name: str) -> Path:
        """What the process of one run says."""
        return self.folder / f"repeat_{repeat + 1:02d}" / f"{name}.log"

    def read_plan(self) -> Plan:
        """The plan.

        Raises:
            UserError: there is no comparison here, or its plan is broken.
        """
        if not self.plan_path.is_file():
            raise UserError(
                f"There is no comparison in {self.folder}: {self.plan_path} does not exist."
            )
        text = files.read_text(self.plan_path, "plan of the comparison")
        return Plan.from_yaml(text, str(self.plan_path))

    def check(self, plan: Plan) -> None:
        """Makes sure that the comparison can begin, or go on, here.

        Raises:
            UserError: the folder holds another comparison, and how that differs, or other files.
        """
        if self.plan_path.is_file():
            different = self.read_plan().differences(plan)
            if different:
                raise UserError(
                    f"{self.folder} holds a comparison with another plan:\n  "
                    + "\n  ".join(different)
                    + "\nOnly --repeats may grow and --data change. Choose another --out."
                )
            return
        if self.folder.exists() and not self.folder.is_dir():
            raise UserError(f"{self.folder} is a file. Choose another --out.")
        ours = {self.folder / _LOCK, *files.leftovers(self.folder, _NAMES)}
        if self.folder.is_dir() and any(path not in ours for path in self.folder.iterdir()):
            what = "a run" if RunStore(self.folder).config_path.exists() else "other files"
            raise UserError(f"{self.folder} holds {what}. Choose another --out.")

    @contextlib.contextmanager
    def opened(self, plan: Plan) -> Iterator[None]:
        """Keeps all other processes from running the comparison, and writes its plan.

        The operating system takes the lock back when the process ends, however it ends.

        Raises:
            UserError: as `check` does; another process runs it already.
        """
        self.check(plan)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"The folder {self.folder} cannot be made: {error}.") from error
        with RunStore(self.folder).lock():
            files.remove_leftovers(self.folder, _NAMES)
            self.check(plan)
            files.write_text(self.plan_path, plan.to_yaml())
            yield
