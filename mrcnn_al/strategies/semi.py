"""Batches from all zones, and pseudo-labels where the model is certain."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mrcnn_al.errors import UserError
from mrcnn_al.strategies.mask import MaskStrategy
from mrcnn_al.strategies.registry import register
from mrcnn_al.uncertainty.score_row import ScoreRow


@register("semi")
@dataclass(frozen=True, kw_only=True)
class SemiStrategy(MaskStrategy):
    """The batches of `mask`; certain images are labelled by the model's own predictions.

    The only strategy with a clear gain in the thesis (figures 5.16 and 5.17).

    Attributes:
        pseudo_threshold: mask uncertainty in pixels; below it an image is certain.
        pseudo_from: the first iteration, from 1, that gives pseudo-labels.
    """

    pseudo_threshold: float = 50.0
    pseudo_from: int = 1

    def __post_init__(self):
        super().__post_init__()
        if not self.pseudo_threshold >= 0:
            raise UserError(
                f"Option 'pseudo_threshold' is {self.pseudo_threshold}; it must be 0 px or more."
            )
        if self.pseudo_from < 1:
            raise UserError(f"Option 'pseudo_from' is {self.pseudo_from}; iterations count from 1.")

    def pseudo_label_ids(
        self, rows: Sequence[ScoreRow], iteration: int, queried: Collection[str]
    ) -> tuple[str, ...]:
        """The certain images that have a detection and are not about to be labelled, sorted.

        Args:
            rows: one for each image that was unlabelled before the query.
            iteration: whose model scored the rows, from 1.
            queried: the batch of this iteration, which the oracle labels.
        """
        if iteration < self.pseudo_from:
            return ()
        queried = set(queried)
        return tuple(
            sorted(
                row.image_id
                for row in rows
                if row.mask < self.pseudo_threshold
                and not row.undetected
                and row.image_id not in queried
            )
        )
