"""From the T stochastic passes of a semantic segmentation over one image to its score row."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.uncertainty.aggregate import AGGREGATES, aggregate
from mrcnn_al.uncertainty.entropy import entropy
from mrcnn_al.uncertainty.least_confident import least_confident
from mrcnn_al.uncertainty.margin import margin
from mrcnn_al.uncertainty.score import score_image
from mrcnn_al.uncertainty.score_row import ScoreRow, score_column

_BY_PIXEL = {"least_confident": least_confident, "entropy": entropy, "margin": margin}


def score_pixels(
    image_id: str,
    passes: Sequence[Instances],
    probabilities: Sequence[np.ndarray],
    mean: np.ndarray,
    objects: np.ndarray,
) -> ScoreRow:
    """Measures every uncertainty of one image.

    - least_confident, entropy, margin: of each pixel, by its mean distribution over the passes
      (least confident: 1 - max_c p(c); entropy: -sum_c p(c) ln p(c)). The uncertainty of an
      object is the mean over its pixels, and the image has the max, mean and sum over its
      objects, as it has them over instances with a Mask R-CNN. Objects are the regions that any
      pass gave to a class, so that one which few passes saw counts, too. Over all pixels of an
      image the maximum would always be that of some pixel on a border.
    - detections, detected_passes, mask, mask_by_class, maskal: as `score_image` has them, of
      the instances that a watershed makes of each pass; the mask of a class in a pass is the
      union of its instances.

    Args:
        image_id: of the image.
        passes: the instances of T passes, those below the minimum confidence left out.
        probabilities: for each pass float [N_t, C], the class distributions of its instances.
        mean: the mean over the passes of the pixels' class distributions, float [H, W, C].
        objects: int [H, W], the regions numbered from 1, 0 outside.

    Raises:
        ValueError: there is no pass, or the arguments do not belong together.
    """
    row = score_image(image_id, passes, probabilities)
    if mean.shape[:2] != objects.shape:
        raise ValueError(f"Image {image_id}: {mean.shape} distributions, {objects.shape} objects.")
    inside = objects > 0
    pixels, labels = mean[inside], objects[inside]
    areas = np.bincount(labels)[1:]
    fields = {}
    for name, measure in _BY_PIXEL.items():
        values = np.bincount(labels, weights=measure(pixels))[1:][areas > 0] / areas[areas > 0]
        fields |= {score_column(name, how): aggregate(values, how) for how in AGGREGATES}
    return replace(row, **fields)
