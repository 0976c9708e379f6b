"""Everything a strategy may look at for one unlabelled image."""

from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class ScoreRow:
    """Scores of one image from T stochastic passes.

    The uncertainties of the instances of all passes come as their maximum, under the plain
    name, their mean and their sum.

    Attributes:
        image_id: of the unlabelled image.
        detections: mean number of detections per pass.
        detected_passes: in how many of the T passes anything was detected.
        least_confident: max over instances of 1 - max_c p(c) (thesis, eq. 3.1 and 3.2).
        least_confident_mean: their mean.
        least_confident_sum: their sum.
        entropy: max over instances of the entropy in nats (eq. 3.3 and 3.4).
        entropy_mean: their mean.
        entropy_sum: their sum.
        margin: max over instances of 1 - (p1 - p2), the two likeliest classes.
        margin_mean: their mean.
        margin_sum: their sum.
        maskal: max over instance sets of 1 - certainty (Blok et al. 2022); 1 where nothing was
            detected.
        maskal_mean: their mean; 1 where nothing was detected.
        maskal_sum: their sum; 1 where nothing was detected.
        mask: mean over the detected classes of the summed pixel variance, pixels.
        mask_by_class: that sum for each class that was detected in any pass, pixels.
        passes: T; 0 where the strategy asked for no scores, and then all scores are 0.
    """

    image_id: str
    detections: float = 0.0
    detected_passes: int = 0
    least_confident: float = 0.0
    least_confident_mean: float = 0.0
    least_confident_sum: float = 0.0
    entropy: float = 0.0
    entropy_mean: float = 0.0
    entropy_sum: float = 0.0
    margin: float = 0.0
    margin_mean: float = 0.0
    margin_sum: float = 0.0
    maskal: float = 0.0
    maskal_mean: float = 0.0
    maskal_sum: float = 0.0
    mask: float = 0.0
    mask_by_class: tuple[tuple[int, float], ...] = ()
    passes: int = 0

    @property
    def undetected(self) -> bool:
        """Whether no pass detected anything: such an image counts as the most uncertain."""
        return self.detected_passes == 0

    @property
    def predicted_classes(self) -> tuple[int, ...]:
        """The classes that were detected in any pass, ascending."""
        return tuple(class_id for class_id, _ in self.mask_by_class)


SCORE_COLUMNS = tuple(field.name for field in fields(ScoreRow))


def score_column(measure: str, aggregate: str) -> str:
    """The name of the field that holds the `max`, `mean` or `sum` of a measure."""
    return measure if aggregate == "max" else f"{measure}_{aggregate}"


def extremes(rows: Sequence[ScoreRow]) -> dict[str, ScoreRow]:
    """The rows of the `least_uncertain` and the `most_uncertain` image by mask, if any."""
    detected = sorted((r for r in rows if not r.undetected), key=lambda r: (r.mask, r.image_id))
    if not detected:
        return {}
    return {"least_uncertain": detected[0], "most_uncertain": detected[-1]}
