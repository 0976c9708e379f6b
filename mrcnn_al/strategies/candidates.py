"""The unlabelled images of one query, column by column."""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain, compress
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np

from mrcnn_al.uncertainty.image_features import ImageFeatures
from mrcnn_al.uncertainty.score_row import ScoreRow


class Candidates:
    """Score rows as arrays, for pools of a million images.

    Images are told by their position. Where a ranking is tied, the lower position comes first.

    Args:
        rows: of the images.
        order: the row at each position.
        features: of these images and of all that are labelled; None where nobody asked.
    """

    def __init__(
        self,
        rows: Sequence[ScoreRow],
        order: np.ndarray,
        features: ImageFeatures | None = None,
    ):
        self._rows, self._order, self._features = rows, order, features
        self._columns: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def image_ids(self, positions: Sequence[int] | np.ndarray) -> list[str]:
        """The image at each of some positions."""
        index = self._order[np.asarray(positions, np.int64)]
        return [self._rows[row].image_id for row in index.tolist()]

    def by_image_id(self, values: np.ndarray, having: np.ndarray | None = None) -> dict[str, Any]:
        """Image id to its value of [N], of those alone where `having` is true."""
        values_of_rows, kept = np.empty_like(values), np.ones(len(self), bool)
        values_of_rows[self._order] = values
        rows = self._rows
        if having is not None and not having.all():
            kept[self._order] = having
            rows, values_of_rows = compress(rows, kept.tolist()), values_of_rows[kept]
        return dict(zip(map(attrgetter("image_id"), rows), values_of_rows.tolist(), strict=True))

    def column(self, name: str) -> np.ndarray:
        """A number of the score rows by the name of its field, float64 [N].

        Raises:
            ValueError: it is not finite for every image.
        """
        if name not in self._columns:
            # The rows are read in their own order, in which they lie in memory.
            values = np.fromiter(map(attrgetter(name), self._rows), np.float64, len(self))
            values = values[self._order]
            if not np.isfinite(values).all():
                wrong = np.flatnonzero(~np.isfinite(values))[:1]
                raise ValueError(f"Image {self.image_ids(wrong)[0]} has no finite {name}.")
            self._columns[name] = values
        return self._columns[name]

    @cached_property
    def undetected(self) -> np.ndarray:
        """Where no pass detected anything, bool [N]."""
        return self.column("detected_passes") == 0

    @cached_property
    def predicted(self) -> tuple[np.ndarray, np.ndarray]:
        """One entry for each class of each image, in no order: its position, the class id."""
        by_class = attrgetter("mask_by_class")
        counts = np.fromiter(map(len, map(by_class, self._rows)), np.int64, len(self))
        pairs = chain.from_iterable(map(by_class, self._rows))
        class_ids = np.fromiter(map(itemgetter(0), pairs), np.int64, int(counts.sum()))
        positions = np.empty(len(self), np.int64)
        positions[self._order] = np.arange(len(self))
        return np.repeat(positions, counts), class_ids

    @property
    def features(self) -> ImageFeatures:
        """What the backbone makes of the images.

        Raises:
            ValueError: there are none.
        """
        if self._features is None:
            raise ValueError("This strategy needs the features of the images.")
        return self._features
