"""The U-Net as a learner."""

from collections.abc import Sequence
from typing import Any, ClassVar

from mrcnn_al.config import Config, RunConfig
from mrcnn_al.datasets.base import Dataset, LoadImage
from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.measure import Look, measure
from mrcnn_al.evaluation.pixel_metrics import PixelEvaluation
from mrcnn_al.learners.keras_learner import KerasLearner
from mrcnn_al.training.pixel_examples import PixelExampleMaker
from mrcnn_al.uncertainty.pixel_scorer import PixelScorer
from mrcnn_al.unet.network import UNet
from mrcnn_al.weights.report import WeightsReport


class UNetLearner(KerasLearner):
    """Class uncertainties are those of its pixels, the others those of its instances.

    See `score_pixels` for every field of a score row; all of them are given, so that every
    strategy works.
    """

    examples: ClassVar = PixelExampleMaker
    scorer: ClassVar = PixelScorer

    @staticmethod
    def make_model(config: Config) -> UNet:
        """With the settings of the section `unet`."""
        return UNet(config.unet)

    def load_start_weights(self, run: RunConfig) -> WeightsReport | None:
        """None, or a file that a U-Net wrote.

        Raises:
            UserError: weights of a Mask R-CNN are named, or there is something to exclude and
                no file.
        """
        if run.weights in ("imagenet", "coco"):
            raise UserError(
                f"There are no weights {run.weights!r} for a U-Net. Use --weights none, or a file "
                "that a U-Net wrote."
            )
        if run.weights != "none":
            return self.model.load_weights(run.weights, run.exclude)
        if run.exclude:
            raise UserError("There is nothing to exclude from --weights none.")
        return None

    @staticmethod
    def measure(
        model: UNet,
        dataset: Dataset,
        image_ids: Sequence[str],
        load_image: LoadImage | None = None,
        title: str = "evaluating",
        look: Look = lambda image_id, truth, found: None,
    ) -> dict[str, Any]:
        """COCO mAP of the instances, and what `PixelEvaluation` says of the pixels."""
        pixels = PixelEvaluation(dataset.class_names)

        def look_twice(image_id, truth, found):
            pixels.add(truth, found)
            look(image_id, truth, found)

        metrics = measure(model, dataset, image_ids, load_image, title, look_twice)
        return {**metrics, **pixels.metrics()}
