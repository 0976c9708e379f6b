"""Real processes score a small pool, and are killed at it."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from processes import is_alive, wait_until
from tiny_run import environment

from mrcnn_al.errors import UserError
from mrcnn_al.workers.image_scorer import ScoringJob
from mrcnn_al.workers.local import LocalWorker
from mrcnn_al.workers.spread import WorkerLost


def test_there_is_something_to_score(pool):
    """Otherwise the tests below would hold for nothing."""
    assert len({row.mask for row in pool.rows}) > 6
    assert len({row.entropy for row in pool.rows}) == len(pool.rows)


def test_two_workers_have_the_scores_of_one_process_also_when_both_are_killed(pool):
    """Both are killed as soon as there are answers; those in their places do the rest."""
    workers, kept, said = [], [], []

    def hire(job, place):
        workers.append(LocalWorker(job, place))
        return workers[-1]

    def keep(row):
        kept.append(row)
        if len(kept) == 4:
            for worker in workers:
                os.kill(worker._process.pid, signal.SIGKILL)

    assert pool.scoring(hire, 2, said.append)(keep) == pool.rows
    assert sorted(row.image_id for row in kept) == sorted(pool.image_ids)
    assert len(workers) > 2
    assert any("ended with status -9" in line for line in said)
    assert all(worker._process.poll() is not None for worker in workers)


def test_a_worker_with_other_scores_is_refused(pool):
    def hire(job, place):
        return LocalWorker(replace(job, seed=job.seed + 1), place)

    with pytest.raises(UserError, match=r"scores the image .* otherwise than this process"):
        pool.scoring(hire, 1)()


def test_what_a_worker_cannot_use_is_told(pool):
    def hire(job, place):
        return LocalWorker(replace(job, weights="elsewhere/weights.h5"), place)

    with pytest.raises(UserError, match=r"A worker does not find elsewhere/weights\.h5"):
        pool.scoring(hire, 2)()


def test_what_a_worker_says_at_its_end_is_told(pool, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "abacus")
    config = replace(pool.config, run=replace(pool.config.run, learner="unet"))
    worker = LocalWorker(ScoringJob(config.to_yaml(), str(pool.weights), str(pool.cache), 0), 0)
    with pytest.raises(WorkerLost, match=r"(?s)ended with status 1, saying:.*abacus"):
        worker.open()
    worker.end()


SCRIPT = """
import sys, time
from mrcnn_al.workers.image_scorer import ScoringJob
from mrcnn_al.workers.image_scorer import ScoringJob
from mrcnn_al.workers.local import LocalWorker

print(LocalWorker(ScoringJob("", "", "", 0), 0)._process.pid, flush=True)
time.sleep(600)
"""


def test_a_worker_ends_with_the_process_that_began_it():
    parent = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, env=environment()
    )
    with parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    assert wait_until(lambda: not is_alive(pid), 60)
