"""The harder baseline: at random, but with as many objects as the uncertain images have."""

from dataclasses import dataclass

import numpy as np

from mrcnn_al.strategies.base import Strategy
from mrcnn_al.strategies.batch import Batch
from mrcnn_al.strategies.candidates import Candidates
from mrcnn_al.strategies.ranking import most_uncertain
from mrcnn_al.strategies.registry import register

_STEPS = 45
_STEEPEST = 1e4


@register("random-balanced")
@dataclass(frozen=True, kw_only=True)
class RandomBalancedStrategy(Strategy):
    """At random, matched to the uncertain images for the predicted number of objects.

    Every object adds to the mask uncertainty of an image, so a ranking prefers crowded images,
    and the oracle gives more instances for the same number of images. Against plain chance
    that looks like a gain of the ranking. This baseline takes it away: among all random
    batches it draws from those with the same expected number of objects an image as the batch
    that the top of the mask-uncertainty ranking would be, and apart from that number as evenly
    as possible (the distribution of maximum entropy).

    The predicted number of objects of an image is its mean number of detections per pass,
    rounded. Images without any detection are not in the batch to be matched, whose number of
    objects nobody knows; they can be drawn like all others, as images with 0 objects. All
    utilities are 0.
    """

    def _fill(self, batch: Batch, among: np.ndarray, count: int, rng: np.random.Generator) -> None:
        candidates = batch.candidates
        objects = np.rint(candidates.column("detections"))
        detected = among[~candidates.undetected[among]]
        if count == len(among) or not len(detected):
            batch.draw(among, count, "random", rng)
            return
        top = most_uncertain(candidates, "mask", detected, count)
        chances = matched_chances(objects[among], count, objects[top].mean())
        before = len(batch)
        batch.add(among[_draw_with_chances(chances, count, rng)], "random:matched")
        # Rounding can cost the draw an image, once in many million.
        batch.draw(among, count - (len(batch) - before), "random:matched", rng)

    def _utilities(self, candidates: Candidates) -> np.ndarray:
        return np.zeros(len(candidates))


def matched_chances(values: np.ndarray, count: int, mean: float) -> np.ndarray:
    """The chance of each image to be in a batch whose values have a given expected mean.

    Of all chances that add up to `count` and meet the mean these have the greatest entropy:
    1 / (1 + exp(-(a + b value))), with a and b found by bisection. A mean that no batch can
    have is met as nearly as possible.

    Args:
        values: whole numbers, float64 [N].
        count: images in a batch, from 1 to N - 1.
        mean: of the values in a batch.

    Returns:
        float64 [N].
    """
    levels, level_of, sizes = np.unique(values, return_inverse=True, return_counts=True)
    steps = levels - mean
    reach = _STEEPEST * (np.abs(steps).max() + 1.0)

    def chances(slope):
        low, high = -reach, reach
        for _ in range(_STEPS):
            middle = (low + high) / 2
            result = 0.5 * (1.0 + np.tanh(0.5 * (middle + slope * steps)))
            low, high = (middle, high) if result @ sizes < count else (low, middle)
        return result

    low, high = -_STEEPEST, _STEEPEST
    for _ in range(_STEPS):
        slope = (low + high) / 2
        result = chances(slope)
        low, high = (slope, high) if (result * steps) @ sizes < 0 else (low, slope)
    return result[level_of]


def _draw_with_chances(chances, count, rng):
    """A random systematic sample: indices, each with its chance, exactly `count` of them."""
    order = rng.permutation(len(chances))
    ends = np.cumsum(chances[order])
    picks = np.searchsorted(ends * (count / ends[-1]), rng.random() + np.arange(count), "right")
    return order[np.unique(np.minimum(picks, len(order) - 1))]
