"""What a learner is to the loop: something to fit, to measure and to ask about images."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from mrcnn_al.config import Config, RunConfig
from mrcnn_al.datasets.base import Dataset, Load, LoadImage
from mrcnn_al.evaluation.measure import Look, measure
from mrcnn_al.instances import Instances
from mrcnn_al.progress import progress
from mrcnn_al.uncertainty.image_features import ImageFeatures
from mrcnn_al.uncertainty.pool_scorer import PoolScorer
from mrcnn_al.uncertainty.score_row import ScoreRow
from mrcnn_al.weights.report import WeightsReport


class Learner(ABC):
    """A model with its start weights, how it is trained, and what it has to say about images.

    A subclass says which model that is and how it is trained. The model has `load_weights`,
    `save_weights` and an `inference` with `detect`, `sample` and `features` as MaskRCNN's. All
    that is drawn comes from the seeds that the methods are given.

    Args:
        config: of the run.
        load_image: image id to uint8 RGB [H, W, 3].

    Attributes:
        model: that is trained.
        start_report: what the start weights were; None for none.
        scorer: what makes score rows of passes.

    Raises:
        UserError: the start weights are not at hand or do not fit, or the training cannot be as
            the settings say.
    """

    scorer: ClassVar[type[PoolScorer]]

    def __init__(self, config: Config, load_image: LoadImage):
        self._load_image, self._sampling = load_image, config.sampling
        self.model = self._new_model(config)
        self.start_report = self.load_start_weights(config.run)
        self._scorer = self.scorer(self.model.inference, load_image, config.sampling)

    def _new_model(self, config: Config) -> Any:
        return self.make_model(config)

    @staticmethod
    @abstractmethod
    def make_deterministic(seed: int) -> None:
        """Seeds what draws without a seed of its own, before any model is made."""

    @staticmethod
    @abstractmethod
    def make_model(config: Config) -> Any:
        """The model with weights that are drawn at random."""

    @abstractmethod
    def load_start_weights(self, run: RunConfig) -> WeightsReport | None:
        """Gives the model the weights that a run starts from.

        Raises:
            UserError: they are not at hand or do not fit.
        """

    @staticmethod
    def measure(
        model,
        dataset: Dataset,
        image_ids: Sequence[str],
        load_image: LoadImage | None = None,
        title: str = "evaluating",
        look: Look = lambda image_id, truth, found: None,
    ) -> dict[str, Any]:
        """How good a model is: its metrics, COCO mAP among them.

        `look` is given the id, the ground truth and all detections of each image.
        """
        return measure(model, dataset, image_ids, load_image, title, look)

    def evaluate(
        self,
        dataset: Dataset,
        image_ids: Sequence[str],
        title: str,
        look: Look = lambda image_id, truth, found: None,
    ) -> dict[str, Any]:
        """`measure` of this learner's model."""
        return self.measure(self.model, dataset, image_ids, self._load_image, title, look)

    @abstractmethod
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
        """Goes on from the weights that the model has, or from the checkpoint; see `Fitter.fit`.

        Returns:
            A row for each epoch, with `epoch`, `loss` and `seconds`.
        """

    def score(
        self,
        image_ids: Sequence[str],
        seed: int,
        title: str,
        keep: Callable[[ScoreRow], None] = lambda row: None,
    ) -> list[ScoreRow]:
        """The scores of each image from its stochastic passes; `keep` is given them one by one."""
        return self._scorer.rows(image_ids, seed, title, keep)

    def passes(self, image_id: str, seed: int) -> list[Instances]:
        """The detections of the passes that `score` makes of an image with the same seed."""
        return self._scorer.passes(image_id, seed)

    def features(self, image_ids: Sequence[str], title: str) -> ImageFeatures:
        """One vector for each image, from the deepest layer."""
        return self._scorer.features(image_ids, title)

    def predict(self, image_ids: Sequence[str], title: str) -> dict[str, Instances]:
        """The deterministic detections in each image, those that would count in scores."""
        found, least = {}, self._sampling.min_confidence
        with progress(title, len(image_ids), "images") as advance:
            for image_id in image_ids:
                detected = self.model.inference.detect([self._load_image(image_id)], least)
                found[image_id] = detected[0].instances
                advance()
        return found

    def save_weights(self, path: str | os.PathLike) -> None:
        """Writes all weights, atomically."""
        self.model.save_weights(path)

    def load_weights(self, path: str | os.PathLike) -> None:
        """Reads what `save_weights` wrote.

        Raises:
            UserError: the file is not readable or does not fit; nothing is changed then.
        """
        self.model.load_weights(path)

    @abstractmethod
    def restore_start_weights(self) -> None:
        """Puts the weights back to those that the learner was made with."""
