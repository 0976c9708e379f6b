"""Commands as tasks of a Ray cluster of two nodes."""

import os
import signal
from pathlib import Path

import pytest
from processes import descendants, is_alive, wait_until
from two_nodes import needs_ray, two_nodes

from mrcnn_al.comparison.plan import Arm, Plan
from mrcnn_al.comparison.ray_runs import RayRun, RayRuns
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.errors import UserError

# Ray leaves sockets and files of its own to the garbage collector.
pytestmark = [
    pytest.mark.slow,
    needs_ray,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
]


@pytest.fixture(scope="module")
def nodes():
    with two_nodes() as (pid, address):
        yield pid, address


@pytest.fixture
def cluster(nodes):
    from mrcnn_al.workers.cluster import connected

    with connected(nodes[1]) as made:
        yield made


def plan(**run):
    return Plan(
        "toy", "cpu", (Arm("random", {"strategy": {"name": "random"}}),), 1, 0, {"run": run}
    )


def ended(run):
    assert wait_until(lambda: run.status() is not None)
    return run.status()


def working(pid, out):
    """The processes of a run on the cluster, and those of the Ray workers that began them."""
    found = descendants(pid)
    children = [p for p, line in found.items() if "mrcnn_al.cli.child" in line and out in line]
    return children, [p for p, line in found.items() if line.startswith("ray::_run")]


def test_runs_come_to_their_end_or_are_killed_with_their_worker(cluster, nodes, tmp_path):
    one = RayRun(cluster, ["--version"], tmp_path / "one.log")
    other = RayRun(cluster, ["trane"], tmp_path / "other.log")
    assert (ended(one), ended(other)) == (0, 2)
    assert "version" in one.last_words()
    assert "No such command 'trane'" in other.last_words()

    for name, end in (("killed", None), ("cancelled", RayRun.terminate)):
        out = str(tmp_path / name)
        run = RayRun(cluster, ["train", "--out", out], tmp_path / f"{name}.log")
        assert wait_until(lambda out=out: working(nodes[0], out)[0])
        children, workers = working(nodes[0], out)
        assert run.status() is None
        if end is None:
            assert len(workers) == 1
            os.kill(workers[0], signal.SIGKILL)
        else:
            end(run)
        assert ended(run) == -signal.SIGKILL
        assert wait_until(lambda children=children: not any(map(is_alive, children)))
        run.end(1.0)


def test_what_the_machines_must_have(cluster, tmp_path):
    store = ComparisonStore(tmp_path / "out")
    with pytest.raises(UserError, match=r"the file of weights 'mine\.h5' by its absolute path"):
        RayRuns(cluster, store, plan(weights="mine.h5"), tmp_path)
    with store.opened(plan(data="/nowhere/data")), pytest.raises(UserError) as raised:
        RayRuns(cluster, store, plan(data="/nowhere/data"), tmp_path)
    assert "does not see /nowhere/data. The images (--data)" in str(raised.value)
    with store.opened(plan(data="/nowhere/data")):
        assert RayRuns(cluster, store, plan(), Path(tmp_path))
