"""A training that was killed goes on where it was."""

import hashlib
import json
import os
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
from keras import ops

from mrcnn_al.errors import UserError
from mrcnn_al.files import replacing
from mrcnn_al.training.early_stopping import EarlyStopping


@dataclass
class Position:
    """How far a training is.

    Attributes:
        step: batches trained on.
        history: one row for each finished epoch.
        seconds: of the epoch under way.
        waiting_seconds: of these, those spent waiting for batches.
    """

    step: int = 0
    history: list[dict] = field(default_factory=list)
    seconds: float = 0.0
    waiting_seconds: float = 0.0


class Checkpoint:
    """A file (npz) with everything that training changes, for one training alone.

    It holds the weights, the state of the optimizer with its averages, the position in the
    training, and the best weights of early stopping.

    Args:
        path: of the file.
        training: plain values that tell this training from all others; only their hash is
            kept.
    """

    def __init__(self, path: str | os.PathLike, training: dict):
        self.path = Path(path)
        text = json.dumps(training, sort_keys=True)
        self._fingerprint = hashlib.sha256(text.encode()).hexdigest()

    def save(self, model: keras.Model, position: Position, stopping: EarlyStopping) -> None:
        """Replaces the file, atomically."""
        state = {
            "training": self._fingerprint,
            "position": asdict(position),
            "best_loss": stopping.best_loss,
            "waited": stopping.waited,
        }
        arrays = {
            **_named("model", map(ops.convert_to_numpy, model.weights)),
            **_named("optimizer", map(ops.convert_to_numpy, model.optimizer.variables)),
            **_named("best", stopping.best_weights),
        }
        with replacing(self.path) as temporary, open(temporary, "wb") as file:
            np.savez(file, state=np.array(json.dumps(state)), **arrays)

    def load(self, model: keras.Model, stopping: EarlyStopping) -> Position:
        """Puts a model, its optimizer and early stopping back to where they were.

        Returns:
            The position; that of the beginning where there is no file, and nothing is changed.

        Raises:
            UserError: the file is damaged, or of another training; nothing is changed.
        """
        if not self.path.exists():
            return Position()
        try:
            with open(self.path, "rb") as file, np.load(file) as stored:
                arrays = dict(stored)
            state = json.loads(str(arrays.pop("state")))
            position = Position(**state["position"])
            same = state["training"] == self._fingerprint
            best_loss, waited = state["best_loss"], state["waited"]
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise UserError(
                f"The checkpoint {self.path} cannot be read: {error}. Without it, training begins "
                "anew: delete it."
            ) from error
        if not same:
            raise UserError(
                f"The checkpoint {self.path} is of a training with other settings, images or "
                "seed. To begin anew, delete it."
            )
        for kind, variables in (
            ("model", model.variables),
            ("optimizer", model.optimizer.variables),
        ):
            for variable, value in zip(variables, _listed(kind, arrays), strict=True):
                variable.assign(value)
        stopping.best_loss, stopping.waited = best_loss, waited
        stopping.best_weights = _listed("best", arrays)
        return position


def _named(kind, arrays):
    return {f"{kind}/{index}": array for index, array in enumerate(arrays)}


def _listed(kind, arrays):
    count = sum(name.startswith(f"{kind}/") for name in arrays)
    return [arrays[f"{kind}/{index}"] for index in range(count)]
