"""Batches that cover the pool."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mrcnn_al.strategies.base import Strategy
from mrcnn_al.strategies.batch import Batch
from mrcnn_al.strategies.candidates import Candidates
from mrcnn_al.strategies.k_center import farthest_first, squared_distances
from mrcnn_al.strategies.registry import register


@register("core-set")
@dataclass(frozen=True, kw_only=True)
class CoreSetStrategy(Strategy):
    """One after the other the image that is farthest from all that are labelled or chosen.

    Source: Sener and Savarese 2018 (arXiv 1708.00489), algorithm 1, k-center greedy. Images
    are their pooled backbone features, with Euclidean distances. The utility of an image is
    its distance to the nearest labelled one.
    """

    needs_scores: ClassVar[bool] = False
    uses_features: ClassVar[bool] = True

    def _fill(self, batch: Batch, among: np.ndarray, count: int, rng: np.random.Generator) -> None:
        candidates, features = batch.candidates, batch.candidates.features
        chosen = features.of(candidates.image_ids(batch.positions))
        centres = np.concatenate([_labelled(candidates), chosen])
        points = features.of(candidates.image_ids(among))
        batch.add(among[farthest_first(points, centres, count)], "core-set")

    def _utilities(self, candidates: Candidates) -> np.ndarray:
        labelled = _labelled(candidates)
        if not len(labelled):
            return np.zeros(len(candidates))
        points = candidates.features.of(candidates.image_ids(np.arange(len(candidates))))
        return np.sqrt(squared_distances(points, labelled).astype(np.float64))


def _labelled(candidates):
    return candidates.features.of_others(candidates.image_ids(np.arange(len(candidates))))
