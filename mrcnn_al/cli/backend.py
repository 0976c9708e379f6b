"""Importing Keras and its backend without their greetings."""

import contextlib
import importlib
import os
from collections.abc import Iterator


def import_backend() -> None:
    """Imports Keras, which takes seconds, with the chatter of its libraries left out."""
    with _native_output_dropped():
        importlib.import_module("mrcnn_al.mask_rcnn.model")


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
