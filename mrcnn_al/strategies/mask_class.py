"""Batches from all zones of the mask uncertainty, and from the top of a class uncertainty."""

from dataclasses import dataclass

import numpy as np

from mrcnn_al.strategies.batch import Batch
from mrcnn_al.strategies.mask import MaskStrategy
from mrcnn_al.strategies.ranking import check_aggregate, most_uncertain
from mrcnn_al.strategies.registry import register
from mrcnn_al.strategies.zones import draw_from_zones
from mrcnn_al.uncertainty.score_row import score_column


@register("mask-class")
@dataclass(frozen=True, kw_only=True)
class MaskClassStrategy(MaskStrategy):
    """Of 40 images 7 from each zone, 9 by least confidence, and 10 at random.

    See `mask_class_quotas` for other numbers. Of the images by least confidence at most a
    third, 3 of 9, are without any detection, which rank on top and would take all the places
    (thesis, chapter 3 and figure 5.15). Where there are no others, chance gets the places.

    Attributes:
        aggregate: `max`, `mean` or `sum` of the least confidences of an image's instances.
    """

    aggregate: str = "max"

    def __post_init__(self):
        super().__post_init__()
        check_aggregate(self.aggregate)

    def _fill(self, batch: Batch, among: np.ndarray, count: int, rng: np.random.Generator) -> None:
        each_zone, by_class, _ = mask_class_quotas(count)
        before = len(batch)
        draw_from_zones(batch, among, each_zone, rng)
        self._add_by_class(batch, batch.free(among), by_class)
        batch.draw(among, count - (len(batch) - before), "random", rng)

    def _add_by_class(self, batch, among, count):
        column = score_column("least_confident", self.aggregate)
        undetected = batch.candidates.undetected[among]
        nothing = among[undetected][: count // 3]
        batch.add(nothing, "class:undetected")
        detected, places = among[~undetected], count - len(nothing)
        batch.add(most_uncertain(batch.candidates, column, detected, places), "class")


def mask_class_quotas(batch_size: int) -> tuple[int, int, int]:
    """How many images come from each zone, by class uncertainty, and at random.

    7/40 of the batch from each zone and 9/40 by class uncertainty, halves rounded up, as far
    as the batch holds them, and the rest at random: 7, 9 and 10 of 40; 2, 2 and 2 of 10.
    """
    each_zone = min((7 * batch_size + 20) // 40, batch_size // 3)
    by_class = min((9 * batch_size + 20) // 40, batch_size - 3 * each_zone)
    return each_zone, by_class, batch_size - 3 * each_zone - by_class
