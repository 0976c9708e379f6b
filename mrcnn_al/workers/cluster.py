"""A Ray cluster: finding it, and making sure that its machines are of use."""

import contextlib
import importlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mrcnn_al.errors import UserError

_SECONDS_TO_CONNECT = 5.0
_SECONDS_TO_CHECK = 120.0
# What workers compute with; what is not installed is not compared.
_PACKAGES = ("mrcnn-al", "keras", "numpy", "tensorflow", "tensorflow-cpu", "jax", "jaxlib", "torch")
# The least that Ray takes. Scores are a few hundred bytes.
_OBJECT_STORE_BYTES = 80 * 1024 * 1024


class Cluster:
    """A Ray cluster that this process is connected to; see `connected`.

    Args:
        ray: the module.
    """

    def __init__(self, ray: Any):
        self.ray = ray
        self._resources = ray.cluster_resources()
        self._unit = "GPU" if self._resources.get("GPU", 0) >= 1 else "CPU"
        nodes = [node for node in ray.nodes() if node["Alive"]]
        self._nodes = [n for n in nodes if n["Resources"].get(self._unit, 0) >= 1]
        if not self._nodes:
            raise UserError("The Ray cluster has no machine with a CPU to work on.")

    def __str__(self):
        count, rooms = len(self._nodes), int(self._resources[self._unit])
        return (
            f"Ray cluster of {count} machine{'s' * (count > 1)} with "
            f"{rooms} {self._unit}{'s' * (rooms > 1)}"
        )

    def workers(self, wanted: int | None) -> int:
        """How many are at work at the same time.

        Args:
            wanted: None for one on each GPU, or on each machine where there are none.

        Raises:
            UserError: there is no place for so many.
        """
        most = int(self._resources[self._unit])
        if wanted is None:
            return most if self._unit == "GPU" else len(self._nodes)
        if wanted > most:
            raise UserError(
                f"--workers {wanted}: the {self} has place for {most}, each of which takes one "
                f"{self._unit}."
            )
        return wanted

    @property
    def options(self) -> dict[str, Any]:
        """What Ray is to give a worker, and that it spreads them over the machines."""
        needed = {"num_cpus": 1, "num_gpus": 1} if self._unit == "GPU" else {"num_cpus": 1}
        return {**needed, "scheduling_strategy": "SPREAD"}

    def check(self, file: Path, folders: Sequence[Path]) -> None:
        """Makes sure that each machine sees the same files and has the same software.

        Args:
            file: that has just been written into the folder that must be shared.
            folders: that must be there, too, or files.

        Raises:
            UserError: a machine does not; it is named.
        """
        file, paths = str(file.resolve()), [str(path.resolve()) for path in folders]
        strategy = importlib.import_module("ray.util.scheduling_strategies")
        look = _look()
        own, task = look(file, paths, _PACKAGES), self.ray.remote(look)
        asked = {
            node["NodeID"]: task.options(
                num_cpus=0,
                scheduling_strategy=strategy.NodeAffinitySchedulingStrategy(
                    node["NodeID"], soft=False
                ),
            ).remote(file, paths, _PACKAGES)
            for node in self._nodes
        }
        for node in self._nodes:
            name = f"The machine {node['NodeManagerAddress']} of the Ray cluster"
            try:
                seen = self.ray.get(asked[node["NodeID"]], timeout=_SECONDS_TO_CHECK)
            except self.ray.exceptions.RayError as error:
                raise UserError(f"{name} does not answer: {error}") from error
            if seen["versions"] != own["versions"]:
                raise UserError(
                    f"{name} has other software than this: {_listed(seen['versions'])}; here: "
                    f"{_listed(own['versions'])}. With other software the scores are others."
                )
            if seen["digest"] != own["digest"]:
                raise UserError(
                    f"{name} does not see {file} as it is here. The folder of --out must "
                    "be on a file system that all machines share, under the same path."
                )
            if seen["missing"]:
                raise UserError(
                    f"{name} does not see {', '.join(seen['missing'])}. The images (--data) and "
                    "--cache must be under the same path on all machines."
                )


@contextlib.contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Connects to a cluster for as long as the block takes; a local one ends with it.

    Args:
        address: as of `ray.init`: host:port, `auto` for the cluster that this machine belongs to,
            `local` for one that is started here.

    Raises:
        UserError: Ray is not installed, or there is no such cluster.
    """
    try:
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise UserError(
            f"--ray {address}: Ray is not installed ({error}). Install it with: "
            'pip install "mrcnn-al[ray]"'
        ) from error
    # Ray would tell its makers about every cluster that is started.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    local = {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
    try:
        _check_reachable(address)
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level="ERROR",
            **(local if address == "local" else {}),
        )
    except (OSError, OverflowError, RuntimeError, ValueError) as error:
        raise UserError(
            f"--ray {address}: there is no such Ray cluster ({error}). Start one with "
            "`ray start --head`, or use --ray local."
        ) from error
    try:
        yield Cluster(ray)
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Ray itself would take minutes to find that nobody is there, and may end the process."""
    host, colon, port = address.rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS_TO_CONNECT).close()
    elif address not in ("auto", "local"):
        raise ValueError("an address is host:port, auto or local")


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _look() -> Callable:
    """What a machine is asked; it goes there by value, as the package may be missing there."""

    def look(file, paths, packages):
        import contextlib
        import hashlib
        import platform
        from importlib import metadata
        from pathlib import Path

        versions = {"python": platform.python_version()}
        for package in packages:
            with contextlib.suppress(metadata.PackageNotFoundError):
                versions[package] = metadata.version(package)
        path = Path(file)
        return {
            "digest": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None,
            "missing": [path for path in paths if not Path(path).exists()],
            "versions": versions,
        }

    return look
