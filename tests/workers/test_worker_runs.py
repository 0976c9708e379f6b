"""Whole runs by several workers, here and on a Ray cluster of two nodes: the same in every file.

Whoever is killed in the middle.
"""

import os
import shutil
import signal
import subprocess

import pytest
from processes import descendants, is_alive, parent, wait_until
from tiny_run import PROGRAM, QUICK, SEMI, call, differences, environment, start, without
from two_nodes import needs_ray, two_nodes

from mrcnn_al.errors import UserError

pytestmark = pytest.mark.slow

# Enough images to be killed among.
OPTIONS = (*without(QUICK, "--scale"), "--passes", "4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("worker_runs")


@pytest.fixture(scope="module")
def alone(folder):
    """By one process."""
    call(*command(folder, "alone"))
    return folder / "alone"


@pytest.fixture(scope="module")
def cluster():
    """The process of a Ray cluster of two nodes, each with one CPU, and its address."""
    with two_nodes() as (pid, address):
        yield pid, address


def command(folder, name, *options):
    out, cache = folder / name, folder / "cache"
    return ("train", "--out", out, "--cache", cache, *OPTIONS, *SEMI, *options)


def scored(out, iteration, count):
    """Whether an iteration has so many scores, and not all of them."""
    path = out / f"iteration_{iteration:03d}" / "scored.jsonl"

    def reached():
        try:
            return len(path.read_bytes().splitlines()) >= count
        except FileNotFoundError:
            return False

    return reached


def workers_of(pid, words):
    return [child for child, line in descendants(pid).items() if words in line]


def finish(process):
    assert process.wait(1200) == 0


def test_processes_of_this_machine(folder, alone):
    """The main process is killed among two workers, then one of three when it was resumed."""
    out = folder / "local"
    main = start(*map(str, command(folder, "local", "--workers", "2")))
    assert wait_until(scored(out, 1, 8))
    workers = workers_of(main.pid, "mrcnn_al.workers.child")
    assert len(workers) == 2
    main.kill()
    main.wait()
    assert wait_until(lambda: not any(map(is_alive, workers)), 60)
    assert not (out / "iteration_001" / "scores.csv").exists()

    main = start(*map(str, command(folder, "local", "--workers", "3", "--resume")))
    assert wait_until(scored(out, 2, 8))
    workers = workers_of(main.pid, "mrcnn_al.workers.child")
    assert len(workers) == 3
    os.kill(workers[0], signal.SIGKILL)
    finish(main)
    assert differences(alone, out) == []


@needs_ray
def test_two_nodes_of_a_cluster(folder, alone, cluster):
    pid, address = cluster
    out = folder / "ray"
    main = start(*map(str, command(folder, "ray", "--ray", address)))
    assert wait_until(scored(out, 1, 8))
    workers = workers_of(pid, "ray::_Scorer")
    assert len(workers) == len({parent(worker) for worker in workers}) == 2
    os.kill(workers[0], signal.SIGKILL)
    finish(main)
    assert differences(alone, out) == []


COMPARED = (
    *("compare", "--strategies", "random,mask", "--repeats", "1", "--no-full-data"),
    *(*OPTIONS, "--iterations", "1"),
)


@needs_ray
def test_a_comparison_on_two_nodes(folder, cluster):
    """A run of it is killed here, and the worker of one on the cluster."""
    outs = folder / "compared", folder / "compared_on_ray"
    for out, options, words in (
        (outs[0], ("--workers", "2"), "--out " + str(outs[0] / "repeat_01" / "mask")),
        (outs[1], ("--ray", cluster[1]), "ray::_run"),
    ):
        log = folder / f"{out.name}.log"
        with log.open("w") as file:
            main = subprocess.Popen(
                [
                    *PROGRAM,
                    *COMPARED,
                    "--out",
                    str(out),
                    "--cache",
                    str(folder / "cache"),
                    *options,
                ],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment(),
            )
        assert wait_until(scored(out / "repeat_01" / "mask", 1, 8)), log.read_text()
        process = workers_of(main.pid if "--workers" in options else cluster[0], words)
        assert process
        os.kill(process[0], signal.SIGKILL)
        assert main.wait(1200) == 0, log.read_text()
        assert "ended by SIGKILL; it goes on where it was" in log.read_text()
    for name in ("random", "mask"):
        assert differences(outs[0] / "repeat_01" / name, outs[1] / "repeat_01" / name) == []
    assert (outs[0] / "summary.json").read_bytes() == (outs[1] / "summary.json").read_bytes()


@needs_ray
def test_a_folder_that_is_not_shared_is_refused(folder, cluster):
    """The run has a file system of its own where the cluster has an empty folder."""
    private = folder / "private"
    private.mkdir()
    script = f'mount -t tmpfs none "{private}" && exec "$@"'
    inside = ("unshare", "--mount", "sh", "-c", script, "sh")
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"]).returncode:
        pytest.skip("a file system of one's own cannot be mounted here")
    arguments = map(str, command(private, "run", "--ray", cluster[1]))
    done = subprocess.run(
        [*inside, *PROGRAM, *arguments], capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 2, done.stderr
    assert "of the Ray cluster does not see" in done.stderr
    assert "on a file system that all machines share" in done.stderr
    assert "training" not in done.stderr


@needs_ray
def test_more_workers_than_there_is_place_for(folder, cluster):
    with pytest.raises(UserError, match="Ray cluster of 2 machines with 2 CPUs has place for 2"):
        call(*command(folder, "many", "--ray", cluster[1], "--workers", "9"))
    assert not (folder / "many").exists()
