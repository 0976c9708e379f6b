"""A batch while it is composed."""

from collections.abc import Sequence

import numpy as np

from mrcnn_al.strategies.candidates import Candidates


class Batch:
    """The images chosen so far, by position, each with the reason why.

    Args:
        candidates: from which it is composed.
        zones: of each candidate 0, 1 or 2 for low, medium and high, -1 for none; or None.

    Attributes:
        positions: in the order in which they were chosen.
        reasons: one for each.
    """

    def __init__(self, candidates: Candidates, zones: np.ndarray | None = None):
        self.candidates, self.zones = candidates, zones
        self.positions: list[int] = []
        self.reasons: list[str] = []
        self._free = np.ones(len(candidates), bool)

    def __len__(self) -> int:
        return len(self.positions)

    def free(self, among: np.ndarray) -> np.ndarray:
        """Those of some positions that are not chosen."""
        return among[self._free[among]]

    def add(self, positions: Sequence[int] | np.ndarray, reasons: str | Sequence[str]) -> None:
        """Chooses images that are free, for one reason, or each for its own."""
        positions = np.asarray(positions, np.int64)
        self._free[positions] = False
        self.positions.extend(positions.tolist())
        one = isinstance(reasons, str)
        self.reasons.extend([reasons] * len(positions) if one else reasons)

    def draw(
        self, among: np.ndarray, count: int, reason: str, rng: np.random.Generator
    ) -> np.ndarray:
        """Chooses `count` of the free ones among some positions at random."""
        if count:
            self.add(rng.choice(self.free(among), size=count, replace=False), reason)

    def put_before_reasons(self, prefix: str, first: int) -> None:
        """Extends the reasons from the one of number `first` on."""
        self.reasons[first:] = [prefix + reason for reason in self.reasons[first:]]
