"""A Ray cluster of two nodes on this machine, each with one CPU.

Run as a program it prints the address of one that ends when standard input does.
"""

import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_run import environment

NODE = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 80 * 1024 * 1024}
SECONDS, ATTEMPTS = 60, 3
QUIET = {"RAY_USAGE_STATS_ENABLED": "0"}

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed (the extra `ray`)"
)


@contextlib.contextmanager
def two_nodes() -> Iterator[tuple[int, str]]:
    """The process that began the cluster, and the cluster's address."""
    nodes = subprocess.Popen(
        [sys.executable, str(Path(__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**environment(), **QUIET},
    )
    with nodes:
        address = nodes.stdout.readline().strip()
        assert address
        try:
            yield nodes.pid, address
        finally:
            nodes.stdin.close()


def main() -> None:
    # A socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        # Ray notes the newest cluster in a folder of its own, which it takes for made.
        os.environ["RAY_TMPDIR"] = folder
        Path(folder, "ray").mkdir()
        cluster = _begun(folder)
        try:
            print(cluster.address, flush=True)
            sys.stdin.read()
        finally:
            cluster.shutdown()


def _begun(folder):
    from ray.cluster_utils import Cluster

    # On a machine that is busy with other tests a node may give itself up while it starts.
    for attempt in range(ATTEMPTS):
        cluster = Cluster()
        try:
            for _ in range(2):
                cluster.add_node(wait=False, include_dashboard=False, temp_dir=folder, **NODE)
            cluster.wait_for_nodes(SECONDS)
            return cluster
        except Exception:
            cluster.shutdown()
            if attempt == ATTEMPTS - 1:
                raise
    return None


if __name__ == "__main__":
    main()
