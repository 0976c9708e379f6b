"""What another process is told, so that it computes the same."""

import os

import pytest

from mrcnn_al.workers.environment import computing_environment, same_threads, take_environment
from mrcnn_al.workers.local import _one_gpu


@pytest.fixture
def environ(monkeypatch):
    """An environment of the test's own."""
    found = {}
    monkeypatch.setattr(os, "environ", found)
    return found


def test_as_many_threads_as_here_wherever_that_is(environ):
    cores = str(len(os.sched_getaffinity(0)))
    assert same_threads()["TF_NUM_INTRAOP_THREADS"] == same_threads()["NPROC"] == cores
    environ["TF_NUM_INTRAOP_THREADS"] = "3"
    assert same_threads()["TF_NUM_INTRAOP_THREADS"] == "3"


def test_what_decides_the_numbers_goes_along_and_nothing_else(environ):
    environ.update(KERAS_BACKEND="jax", XLA_FLAGS="--x", OMP_NUM_THREADS="2", SECRET_KEY="secret")
    given = computing_environment()
    assert (
        given.items()
        >= {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--x", "OMP_NUM_THREADS": "2"}.items()
    )
    assert "SECRET_KEY" not in given


def test_what_ray_sets_by_itself_is_taken_back(environ):
    environ["OMP_NUM_THREADS"] = "1"
    take_environment({"KERAS_BACKEND": "tensorflow"})
    assert environ["KERAS_BACKEND"] == "tensorflow"
    assert "OMP_NUM_THREADS" not in environ
    take_environment({"OMP_NUM_THREADS": "4"})
    assert environ["OMP_NUM_THREADS"] == "4"


def test_gpus_are_dealt_out(environ):
    environ["CUDA_VISIBLE_DEVICES"] = "2,GPU-5a"
    names = [_one_gpu(place)["CUDA_VISIBLE_DEVICES"] for place in range(3)]
    assert names == ["2", "GPU-5a", "2"]
    environ["CUDA_VISIBLE_DEVICES"] = ""
    assert _one_gpu(0) == {}
