"""The Mask R-CNN as a learner."""

from typing import ClassVar

from mrcnn_al.config import Config, RunConfig
from mrcnn_al.learners.keras_learner import KerasLearner
from mrcnn_al.model import MaskRCNN
from mrcnn_al.training.examples import ExampleMaker
from mrcnn_al.uncertainty.pool_scorer import PoolScorer
from mrcnn_al.weights.report import WeightsReport
from mrcnn_al.weights.sources import load_named_weights


class MaskRCNNLearner(KerasLearner):
    """Scores are those of its detections (thesis, chapter 3); see `score_image`."""

    examples: ClassVar = ExampleMaker
    scorer: ClassVar = PoolScorer

    @staticmethod
    def make_model(config: Config) -> MaskRCNN:
        """With the settings of the section `model`."""
        return MaskRCNN(config.model)

    def load_start_weights(self, run: RunConfig) -> WeightsReport | None:
        """Those that `load_named_weights` knows by name, or a file."""
        return load_named_weights(self.model, run.weights, run.exclude)
