"""What the model has to say about the images of the pool."""

import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mrcnn_al.config import SamplingConfig
from mrcnn_al.instances import Instances
from mrcnn_al.progress import progress
from mrcnn_al.uncertainty.image_features import ImageFeatures
from mrcnn_al.uncertainty.score import score_image
from mrcnn_al.uncertainty.score_row import ScoreRow

if TYPE_CHECKING:
    from mrcnn_al.mask_rcnn.inference import Inference


class PoolScorer:
    """Looks at images, one after the other.

    Args:
        inference: of the model, with the weights that it has at each call.
        load_image: image id to uint8 RGB [H, W, 3].
        sampling: number of passes and confidence that counts.
    """

    def __init__(
        self,
        inference: "Inference",
        load_image: Callable[[str], np.ndarray],
        sampling: SamplingConfig,
    ):
        self._inference, self._load_image, self._sampling = inference, load_image, sampling

    def rows(
        self,
        image_ids: Sequence[str],
        seed: int,
        title: str,
        keep: Callable[[ScoreRow], None] = lambda row: None,
    ) -> list[ScoreRow]:
        """The scores of each image from its stochastic passes, with a progress bar.

        `keep` is given each of them as soon as it is there.
        """
        rows = []
        with progress(title, len(image_ids), "images") as advance:
            for image_id in image_ids:
                rows.append(self.row(image_id, seed))
                keep(rows[-1])
                advance()
        return rows

    def row(self, image_id: str, seed: int) -> ScoreRow:
        """The scores of one image from its stochastic passes."""
        passes = self._sample(image_id, seed)
        distributions = [detections.probabilities for detections in passes]
        instances = [detections.instances for detections in passes]
        return score_image(image_id, instances, distributions)

    def passes(self, image_id: str, seed: int) -> list[Instances]:
        """The detections of the passes that `rows` makes of an image with the same seed."""
        return [detections.instances for detections in self._sample(image_id, seed)]

    def features(self, image_ids: Sequence[str], title: str) -> ImageFeatures:
        """What the backbone makes of each image, with a progress bar."""
        vectors = []
        with progress(title, len(image_ids), "images") as advance:
            for image_id in image_ids:
                vectors.append(self._inference.features([self._load_image(image_id)])[0])
                advance()
        return ImageFeatures(tuple(image_ids), np.stack(vectors))

    def _sample(self, image_id, seed):
        return self._inference.sample(
            [self._load_image(image_id)],
            self._sampling.passes,
            seed,
            keys=[text_key(image_id)],
            min_confidence=self._sampling.min_confidence,
        )[0]


def text_key(text: str) -> int:
    """A number below 2^31 that depends on the text alone."""
    return zlib.crc32(text.encode()) & 0x7FFFFFFF
