"""Batches from all zones of the mask uncertainty."""

from collections.abc import Mapping, Sequence

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.strategies.base import Choice, Strategy
from mrcnn_al.strategies.random_batch import draw_at_random
from mrcnn_al.strategies.registry import register
from mrcnn_al.strategies.zones import (
    ZONE_RULES,
    assign_zones,
    draw_from_zones,
    mask_utilities,
    zone_quotas,
)
from mrcnn_al.uncertainty.score_row import ScoreRow


@register("mask")
class MaskStrategy(Strategy):
    """A quarter of the batch from each zone, the rest from the whole remaining pool.

    Drawing at random within the zones keeps the batch representative, where the top of the
    ranking alone would not (thesis, chapter 3 and figures 5.13 and 5.14).
    """

    def __init__(self, zones: str = "rank"):
        """Chooses how the zones are cut.

        Args:
            zones: `rank` or `value`, see `assign_zones`.

        Raises:
            UserError: `zones` is neither.
        """
        if zones not in ZONE_RULES:
            raise UserError(f"Option 'zones' is {zones!r}; known: {', '.join(ZONE_RULES)}.")
        self.zone_rule = zones

    def zones(self, rows: Sequence[ScoreRow]) -> Mapping[str, str]:
        """Image id to `low`, `medium` or `high`."""
        return assign_zones(rows, self.zone_rule)

    def _choose(
        self, rows: Sequence[ScoreRow], batch_size: int, rng: np.random.Generator
    ) -> list[Choice]:
        each_zone, at_random = zone_quotas(batch_size)
        choices = draw_from_zones(self.zones(rows), each_zone, rng)
        chosen = {choice.image_id for choice in choices}
        remaining = [row.image_id for row in rows if row.image_id not in chosen]
        return choices + draw_at_random(remaining, at_random, rng)

    def _utilities(self, rows: Sequence[ScoreRow]) -> Mapping[str, float]:
        return mask_utilities(rows)
