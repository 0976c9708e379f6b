"""Strategies that take the top of a ranking."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.strategies.base import Strategy
from mrcnn_al.strategies.batch import Batch
from mrcnn_al.strategies.candidates import Candidates
from mrcnn_al.uncertainty.aggregate import AGGREGATES
from mrcnn_al.uncertainty.score_row import score_column


@dataclass(frozen=True, kw_only=True)
class RankingStrategy(Strategy):
    """The most uncertain images, by one of the numbers of their score rows.

    Attributes:
        aggregate: `max`, `mean` or `sum` of the uncertainties of an image's instances.
        measure: the field of a score row that holds their maximum.
    """

    aggregate: str = "max"
    measure: ClassVar[str]

    def __post_init__(self):
        check_aggregate(self.aggregate)

    def _fill(self, batch: Batch, among: np.ndarray, count: int, rng: np.random.Generator) -> None:
        column = score_column(self.measure, self.aggregate)
        chosen = most_uncertain(batch.candidates, column, among, count)
        undetected = batch.candidates.undetected[chosen].tolist()
        batch.add(chosen, ["undetected" if nothing else "top" for nothing in undetected])

    def _utilities(self, candidates: Candidates) -> np.ndarray:
        return uncertainties(candidates, score_column(self.measure, self.aggregate))


def check_aggregate(how: str) -> None:
    """Raises UserError unless it is the name of an aggregate."""
    if how not in AGGREGATES:
        raise UserError(f"Option 'aggregate' is {how!r}; known: {', '.join(AGGREGATES)}.")


def most_uncertain(
    candidates: Candidates, column: str, among: np.ndarray, count: int
) -> np.ndarray:
    """The `count` most uncertain, or all, of some positions, ties by position.

    Images without a detection in any pass come first, as the most uncertain.
    """
    certainties = -np.where(candidates.undetected, np.inf, candidates.column(column))[among]
    if 0 < count < len(among):
        # Sorting is for those alone that are at the top or tied with the last of it.
        last = np.partition(certainties, count - 1)[count - 1]
        top = certainties <= last
        among, certainties = among[top], certainties[top]
    return among[np.argsort(certainties, kind="stable")[:count]]


def uncertainties(candidates: Candidates, column: str) -> np.ndarray:
    """A column as utilities, [N].

    An image without any detection has no uncertainty that was measured but is the most
    uncertain. It gets one more than the most uncertain image with detections: finite, and
    above all others.
    """
    values, undetected = candidates.column(column), candidates.undetected
    top = 1.0 + max(values[~undetected].max(initial=0.0), 0.0)
    return np.where(undetected, top, values)
