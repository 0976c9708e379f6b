"""What a semantic segmentation has to say about the images of the pool."""

import numpy as np

from mrcnn_al.uncertainty.pixel_score import score_pixels
from mrcnn_al.uncertainty.pool_scorer import PoolScorer, text_key
from mrcnn_al.uncertainty.score_row import ScoreRow


class PixelScorer(PoolScorer):
    """Looks at images through a UNet's inference; see `PoolScorer` and `score_pixels`."""

    def row(self, image_id: str, seed: int) -> ScoreRow:
        """The scores of an image from its stochastic passes, one of which is held at a time."""
        inference, count = self._inference, self._sampling.passes
        image = self._load_image(image_id)
        mean, contours, seen, found = 0.0, None, False, []
        for maps in inference.sampled_maps(image, count, seed, text_key(image_id)):
            mean = mean + maps.probabilities.astype(np.float64) / count
            seen = seen | (maps.class_ids > 0)
            if maps.contours is not None:
                part = maps.contours / count
                contours = part if contours is None else contours + part
            found.append(inference.detections(maps, self._sampling.min_confidence))
        return score_pixels(
            image_id,
            [detections.instances for detections in found],
            [detections.probabilities for detections in found],
            mean,
            inference.separate(seen, contours),
        )
