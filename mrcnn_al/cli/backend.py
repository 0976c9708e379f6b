"""Importing Keras and its backend without their greetings."""

import contextlib
import os
from collections.abc import Iterator

from mrcnn_al.config import Config
from mrcnn_al.errors import UserError


def import_backend(config: Config) -> None:
    """Imports the learner of a run, mostly Keras, with the chatter of its libraries left out.

    Raises:
        UserError: the backend is unknown or not installed.
    """
    try:
        with _native_output_dropped():
            from mrcnn_al.learners.factory import learner_class

            learner_class(config)
    except (ImportError, ValueError) as error:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        raise UserError(
            f"Keras cannot start with the backend {backend!r}: {error}. KERAS_BACKEND must be "
            "tensorflow, jax or torch, and that package installed."
        ) from error


@contextlib.contextmanager
def _native_output_dropped() -> Iterator[None]:
    # TensorFlow's libraries write to the file descriptor before any log level is read.
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
