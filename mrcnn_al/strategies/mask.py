"""Batches from all zones of the mask uncertainty."""

from dataclasses import dataclass

import numpy as np

from mrcnn_al.strategies.base import Strategy
from mrcnn_al.strategies.batch import Batch
from mrcnn_al.strategies.candidates import Candidates
from mrcnn_al.strategies.ranking import uncertainties
from mrcnn_al.strategies.registry import register
from mrcnn_al.strategies.zones import (
    assign_zones,
    check_zone_rule,
    draw_from_zones,
    zone_quotas,
)


@register("mask")
@dataclass(frozen=True, kw_only=True)
class MaskStrategy(Strategy):
    """A quarter of the batch from each zone, the rest from the whole remaining pool.

    Drawing at random within the zones keeps the batch representative, where the top of the
    ranking alone would not (thesis, chapter 3 and figures 5.13 and 5.14). The zones are those
    of the pool, also where the batch is balanced.

    Attributes:
        zones: how they are cut: `rank` or `value`, see `assign_zones`.
    """

    zones: str = "rank"

    def __post_init__(self):
        check_zone_rule(self.zones)

    def _zones(self, candidates: Candidates, among: np.ndarray) -> np.ndarray:
        return assign_zones(candidates, among, self.zones)

    def _fill(self, batch: Batch, among: np.ndarray, count: int, rng: np.random.Generator) -> None:
        each_zone, at_random = zone_quotas(count)
        draw_from_zones(batch, among, each_zone, rng)
        batch.draw(among, at_random, "random", rng)

    def _utilities(self, candidates: Candidates) -> np.ndarray:
        return uncertainties(candidates, "mask")
