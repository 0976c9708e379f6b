"""Options that say how many processes are at work, and where."""

import contextlib
import os
from functools import partial
from pathlib import Path

import click

from mrcnn_al.errors import UserError

_ON_A_CLUSTER = "  [default: 1; with --ray one on each GPU of the cluster, or machine without]"


def worker_options(what: str) -> list:
    """--workers and --ray; neither belongs to what a run is.

    Args:
        what: several workers do at the same time.
    """
    return [
        click.option("--workers", type=int, help=f"{what} at the same time.{_ON_A_CLUSTER}"),
        click.option(
            "--ray",
            metavar="ADDRESS",
            help="Workers on a Ray cluster: host:port, auto, or local for one started here. "
            "--out, --cache and --data must be on a file system that its machines share, under "
            "the same path.",
        ),
    ]


def check_workers(workers: int | None) -> None:
    """Raises UserError where there would be nobody to work."""
    if workers is not None and workers < 1:
        raise UserError(f"workers is {workers}; it must be 1 or more.")


def connection(ray: str | None) -> contextlib.AbstractContextManager:
    """A block with a connection to the cluster, or with None."""
    if ray is None:
        return contextlib.nullcontext()
    from mrcnn_al.workers.cluster import connected

    return connected(ray)


def count_workers(workers: int | None, cluster) -> int:
    """How many there are to be, said or not."""
    if cluster is not None:
        return cluster.workers(workers)
    return 1 if workers is None else workers


def leave_gpu_memory(workers: int, cluster) -> None:
    """Lets other processes of this machine have their share, before a backend is imported."""
    from mrcnn_al.workers.environment import SHARED_GPU_MEMORY

    if workers > 1 or cluster is not None:
        for name, value in SHARED_GPU_MEMORY.items():
            os.environ.setdefault(name, value)


def make_scoring(config, cache, workers: int, cluster):
    """How the pool is scored; None for in this process."""
    from mrcnn_al.workers.pool_scoring import PoolScoring

    if cluster is not None:
        from mrcnn_al.workers.ray_worker import RayWorker

        return PoolScoring(config, Path(cache), partial(RayWorker, cluster), workers, print)
    if workers > 1:
        from mrcnn_al.workers.local import LocalWorker

        return PoolScoring(config, Path(cache), LocalWorker, workers, print)
    return None
