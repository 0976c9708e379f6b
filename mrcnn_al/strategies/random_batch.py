"""The baseline: images at random."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mrcnn_al.strategies.base import Strategy
from mrcnn_al.strategies.batch import Batch
from mrcnn_al.strategies.candidates import Candidates
from mrcnn_al.strategies.registry import register


@register("random")
@dataclass(frozen=True, kw_only=True)
class RandomStrategy(Strategy):
    """Every image of the pool is as likely as any other; all utilities are 0."""

    needs_scores: ClassVar[bool] = False

    def _fill(self, batch: Batch, among: np.ndarray, count: int, rng: np.random.Generator) -> None:
        batch.draw(among, count, "random", rng)

    def _utilities(self, candidates: Candidates) -> np.ndarray:
        return np.zeros(len(candidates))
