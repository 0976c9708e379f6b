"""The environment variables that decide what a process computes, for one that is to do the same."""

import os
import sys
from collections.abc import Mapping

_PREFIXES = ("KERAS_", "TF_", "XLA_", "JAX_", "TORCH_", "MKL_", "CUBLAS_", "MRCNN_AL_")
_THREADS = "OMP_NUM_THREADS"
# Several processes share the memory of a GPU only if none takes all of it when it starts.
SHARED_GPU_MEMORY = {
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}


def same_threads() -> dict[str, str]:
    """Variables with which another process uses as many threads as this one.

    A sum is cut into parts by the number of threads, and the last bit of a score hangs on that.
    Each backend has its own variable: TensorFlow, JAX, PyTorch.
    """
    cores = str(len(os.sched_getaffinity(0)))
    names = ("TF_NUM_INTRAOP_THREADS", "NPROC")
    threads = {name: os.environ.get(name, cores) for name in names}
    # PyTorch has its own idea of the default.
    torch = sys.modules.get("torch")
    if torch is not None:
        threads[_THREADS] = str(torch.get_num_threads())
    return threads


def computing_environment() -> dict[str, str]:
    """What a process on another machine needs of this one's environment to compute the same."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_PREFIXES) or name == _THREADS
    }
    return {**kept, **same_threads()}


def take_environment(given: Mapping[str, str]) -> None:
    """Sets what `computing_environment` gave, before any backend is imported.

    Ray fixes the number of threads where nobody else has; that is taken back.
    """
    os.environ.pop(_THREADS, None)
    os.environ.update(given)
