"""Runs of a comparison on the machines of a Ray cluster."""

import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from mrcnn_al.comparison.plan import Plan
from mrcnn_al.comparison.processes import Child, RunProcess
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.errors import UserError
from mrcnn_al.workers.cluster import Cluster
from mrcnn_al.workers.environment import computing_environment, take_environment

_SECONDS_BETWEEN_LOOKS = 0.2
_START_WEIGHTS = ("coco", "imagenet", "none")


class RayRuns:
    """Begins runs wherever Ray has a machine for them.

    Args:
        cluster: where.
        store: of the comparison, in which the plan is written.
        plan: of the comparison.
        cache: of the image sets.

    Raises:
        UserError: a machine does not see the same files, or has other software.
    """

    def __init__(self, cluster: Cluster, store: ComparisonStore, plan: Plan, cache: Path):
        self._cluster = cluster
        configs = [plan.config(arm) for arm in plan.arms]
        weights = {c.run.weights for c in configs if c.run.weights not in _START_WEIGHTS}
        relative = sorted(name for name in weights if not Path(name).is_absolute())
        if relative:
            raise UserError(
                f"--ray: name the file of weights {relative[0]!r} by its absolute path, under "
                "which all machines must have it."
            )
        data = {c.run.data for c in configs if c.run.data is not None}
        cluster.check(store.plan_path, [cache, *map(Path, sorted(data | weights))])

    def begin(self, arguments: Sequence[str], log_path: Path) -> RunProcess:
        """Begins a run; its folders may be relative to this process's current one."""
        absolute = [
            str(Path(a).resolve()) if before in _FOLDERS else a
            for before, a in zip(("", *arguments), arguments, strict=False)
        ]
        return RayRun(self._cluster, absolute, log_path.resolve())


_FOLDERS = ("--out", "--cache", "--data")


class RayRun(RunProcess):
    """A process that a Ray task starts, and that ends with it.

    Args:
        cluster: where.
        arguments: of the command, all paths absolute.
        log_path: absolute; what the command writes is added there.
    """

    def __init__(self, cluster: Cluster, arguments: Sequence[str], log_path: Path):
        super().__init__(log_path)
        self._ray = cluster.ray
        # What is begun again is the runner's to say: it knows what else the folder needs.
        task = self._ray.remote(_run).options(max_retries=0, **cluster.options)
        self._result = task.remote(arguments, str(log_path), computing_environment())

    def status(self) -> int | None:
        """See RunProcess; a run that was lost with its worker or machine counts as killed."""
        if not self._is_over(0):
            return None
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(self._result)
        except exceptions.RayTaskError:
            raise
        except exceptions.RayError:
            return -signal.SIGKILL

    def terminate(self) -> None:
        """See RunProcess."""
        if not self._is_over(0):
            self._ray.cancel(self._result, force=True)

    def end(self, seconds: float) -> None:
        """See RunProcess."""
        if not self._is_over(seconds):
            self.terminate()

    def _is_over(self, seconds):
        return bool(self._ray.wait([self._result], timeout=seconds)[0])


def _run(arguments: Sequence[str], log_path: str, environment: Mapping[str, str]) -> int:
    take_environment(environment)
    child = Child(arguments, Path(log_path))
    try:
        while (status := child.status()) is None:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return status
    finally:
        child.end(0)
