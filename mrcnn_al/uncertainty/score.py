"""From the T stochastic passes over one image to its score row."""

from collections.abc import Sequence

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.uncertainty.aggregate import AGGREGATES, aggregate
from mrcnn_al.uncertainty.entropy import entropy
from mrcnn_al.uncertainty.least_confident import least_confident
from mrcnn_al.uncertainty.margin import margin
from mrcnn_al.uncertainty.mask_variance import mask_variance
from mrcnn_al.uncertainty.maskal import maskal_uncertainties
from mrcnn_al.uncertainty.score_row import ScoreRow, score_column


def score_image(
    image_id: str, passes: Sequence[Instances], probabilities: Sequence[np.ndarray]
) -> ScoreRow:
    """Measures every uncertainty of one image (thesis, chapter 3).

    Args:
        image_id: of the image.
        passes: the detections of T passes, those below the minimum confidence left out.
        probabilities: for each pass float [N_t, C], the class distributions of its detections,
            background included.

    Raises:
        ValueError: there is no pass, or the probabilities are not those of the passes.
    """
    if not passes:
        raise ValueError(f"Image {image_id} has no pass to score.")
    counts = [len(instances) for instances in passes]
    if counts != [len(rows) for rows in probabilities]:
        raise ValueError(f"Image {image_id}: not one class distribution per detection.")
    # Passes without detections may come in any shape, such as [0, 0].
    rows = [rows for rows in probabilities if len(rows)]
    distributions = np.concatenate(rows) if rows else np.zeros((0, 2))
    sets = maskal_uncertainties(passes, probabilities)
    by_instance = {
        "least_confident": least_confident(distributions),
        "entropy": entropy(distributions),
        "margin": margin(distributions),
        # The original has no score for an image without detections, and so never queries it.
        "maskal": sets if len(sets) else np.ones(1),
    }
    by_class = mask_variance(passes)
    return ScoreRow(
        image_id=image_id,
        detections=sum(counts) / len(passes),
        detected_passes=sum(count > 0 for count in counts),
        mask=sum(by_class.values()) / max(len(by_class), 1),
        mask_by_class=tuple(by_class.items()),
        passes=len(passes),
        **{
            score_column(name, how): aggregate(values, how)
            for name, values in by_instance.items()
            for how in AGGREGATES
        },
    )
