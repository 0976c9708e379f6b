"""The baseline: images at random."""

from collections.abc import Mapping, Sequence

import numpy as np

from mrcnn_al.strategies.base import Choice, Strategy
from mrcnn_al.strategies.registry import register
from mrcnn_al.uncertainty.score_row import ScoreRow


@register("random")
class RandomStrategy(Strategy):
    """Every image of the pool is as likely as any other; all utilities are 0."""

    uses_scores = False

    def _choose(
        self, rows: Sequence[ScoreRow], batch_size: int, rng: np.random.Generator
    ) -> list[Choice]:
        return draw_at_random([row.image_id for row in rows], batch_size, rng)

    def _utilities(self, rows: Sequence[ScoreRow]) -> Mapping[str, float]:
        return {row.image_id: 0.0 for row in rows}


def draw_at_random(image_ids: Sequence[str], count: int, rng: np.random.Generator) -> list[Choice]:
    """Draws `count` <= len(image_ids) of them without replacement, for `random`."""
    picked = rng.choice(len(image_ids), size=count, replace=False) if count else ()
    return [Choice(image_ids[index], "random") for index in picked]
