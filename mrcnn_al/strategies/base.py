"""What a strategy is: score rows in, a batch of image ids out."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from mrcnn_al.uncertainty.score_row import ScoreRow


class Choice(NamedTuple):
    """One image of a batch and, in a word that programs can read, why it is there."""

    image_id: str
    reason: str


@dataclass(frozen=True)
class Query:
    """A batch for the oracle.

    Attributes:
        image_ids: in the order in which they were chosen.
        reasons: one for each of `image_ids`: `zone:low`, `random`, ...
        utilities: for every image of the pool how much the strategy wants it, finite, the
            higher the more; None unless asked for.
    """

    image_ids: tuple[str, ...]
    reasons: tuple[str, ...]
    utilities: Mapping[str, float] | None = None


class Strategy(ABC):
    """Decides which unlabelled images are labelled next.

    A strategy keeps nothing between two queries: all that it knows comes in as score rows and
    a random generator, so that an interrupted run continues with the same batches.

    Attributes:
        name: under which it is registered.
        uses_scores: False where rows without scores (`passes` 0) will do, and the T passes
            over the pool can be saved.
    """

    name: ClassVar[str]
    uses_scores: ClassVar[bool] = True

    def query(
        self,
        rows: Sequence[ScoreRow],
        batch_size: int,
        rng: np.random.Generator,
        return_utilities: bool = False,
    ) -> Query:
        """Composes a batch; the order of `rows` does not matter.

        Args:
            rows: one for each unlabelled image.
            batch_size: how many images to choose; all of them where there are fewer.
            rng: the only source of chance.
            return_utilities: whether the query is to carry the utilities of all rows.

        Raises:
            ValueError: two rows have the same image id, or `batch_size` is negative.
        """
        if batch_size < 0:
            raise ValueError(f"A batch of {batch_size} images.")
        rows = sorted(rows, key=lambda row: row.image_id)
        if len({row.image_id for row in rows}) < len(rows):
            raise ValueError("Two score rows of the same image.")
        choices = self._choose(rows, min(batch_size, len(rows)), rng)
        return Query(
            image_ids=tuple(choice.image_id for choice in choices),
            reasons=tuple(choice.reason for choice in choices),
            utilities=self._utilities(rows) if return_utilities else None,
        )

    def pseudo_label_ids(
        self, rows: Sequence[ScoreRow], iteration: int, queried: Collection[str]
    ) -> tuple[str, ...]:
        """The images whose predictions become labels for the next training; none by default.

        Args:
            rows: one for each image that was unlabelled before the query.
            iteration: whose model scored the rows, from 1.
            queried: the batch of this iteration, which the oracle labels.
        """
        return ()

    def zones(self, rows: Sequence[ScoreRow]) -> Mapping[str, str]:
        """Image id to `low`, `medium` or `high`; empty for a strategy without zones."""
        return {}

    @abstractmethod
    def _choose(
        self, rows: Sequence[ScoreRow], batch_size: int, rng: np.random.Generator
    ) -> Sequence[Choice]:
        """Exactly `batch_size` <= len(rows) distinct images; `rows` are sorted by image id."""

    @abstractmethod
    def _utilities(self, rows: Sequence[ScoreRow]) -> Mapping[str, float]:
        """A finite number for each row, the higher the more wanted."""
