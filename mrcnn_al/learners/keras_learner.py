"""What the learners that are Keras models share."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

from keras.ops import convert_to_numpy

from mrcnn_al.config import Config
from mrcnn_al.datasets.base import Load, LoadImage
from mrcnn_al.learners.base import Learner
from mrcnn_al.ops.determinism import make_deterministic
from mrcnn_al.training.devices import sharing
from mrcnn_al.training.examples import ExampleMaker
from mrcnn_al.training.fit import Fitter


class KerasLearner(Learner):
    """A learner whose model has `weights` that a `Fitter` trains.

    Args:
        config: of the run.
        load_image: image id to uint8 RGB [H, W, 3].

    Attributes:
        examples: the kind of rows that the model is trained on.

    Raises:
        UserError: see `Learner`.
    """

    examples: ClassVar[type[ExampleMaker]]

    def __init__(self, config: Config, load_image: LoadImage):
        super().__init__(config, load_image)
        self._start_weights = [convert_to_numpy(v).copy() for v in self.model.weights]
        self._fitter = Fitter(self.model, config.training, self.examples)

    def _new_model(self, config: Config) -> Any:
        with sharing(config.training.devices):
            return super()._new_model(config)

    @staticmethod
    def make_deterministic(seed: int) -> None:
        """Seeds Keras and its backend, and lets chance order no sum."""
        make_deterministic(seed)

    def fit(
        self,
        image_ids: Sequence[str],
        load: Load,
        seed: int,
        title: str,
        validation_ids: Sequence[str] | None = None,
        checkpoint: str | os.PathLike | None = None,
        log_folder: str | os.PathLike | None = None,
    ) -> list[dict]:
        """Goes on from the weights that the model has, or from the checkpoint; see `Fitter.fit`."""
        return self._fitter.fit(
            image_ids, load, seed, title, validation_ids, checkpoint, log_folder
        )

    def restore_start_weights(self) -> None:
        """Puts the weights back to those that the learner was made with."""
        for variable, value in zip(self.model.weights, self._start_weights, strict=True):
            variable.assign(value)
