"""What a strategy is: score rows in, a batch of image ids out."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from mrcnn_al.strategies.balance import class_shares
from mrcnn_al.strategies.batch import Batch
from mrcnn_al.strategies.candidates import Candidates
from mrcnn_al.uncertainty.image_features import ImageFeatures
from mrcnn_al.uncertainty.score_row import ScoreRow

ZONES = ("low", "medium", "high")


@dataclass(frozen=True)
class Query:
    """A batch for the oracle.

    Attributes:
        image_ids: in the order in which they were chosen.
        reasons: one for each of `image_ids`: `zone:low`, `random`, ...
        utilities: for every image of the pool how much the strategy wants it, finite, the
            higher the more; None unless asked for.
        zones: image id to `low`, `medium` or `high`; empty for a strategy without zones.
    """

    image_ids: tuple[str, ...]
    reasons: tuple[str, ...]
    utilities: Mapping[str, float] | None = None
    zones: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Strategy(ABC):
    """Decides which unlabelled images are labelled next.

    A strategy keeps nothing between two queries: all that it knows comes in as score rows and
    a random generator, so that an interrupted run continues with the same batches. A subclass
    says how to choose among some images (`_fill`); what is here works with any of them.

    Attributes:
        balanced: divide the batch evenly among the predicted classes, see `class_shares`, and
            let the strategy choose from the images of each; what a class is short of, it
            chooses from all.
        skip_undetected: leave out the images in which no pass detected anything. Only where
            the others run short do such images, at random, keep the batch at its size.
        shuffle: put the pool into a random order first. The order decides between images that
            are equally wanted, such as all those without detections; it is that of the image
            ids otherwise, which can put similar images next to one another.
        name: under which the strategy is registered.
        needs_scores: False where rows without scores (`passes` 0) will do.
        uses_features: whether `query` must be given the features of the images.
    """

    balanced: bool = False
    skip_undetected: bool = False
    shuffle: bool = False

    name: ClassVar[str]
    needs_scores: ClassVar[bool] = True
    uses_features: ClassVar[bool] = False

    @property
    def uses_scores(self) -> bool:
        """False where the T passes over the pool can be saved."""
        return self.needs_scores or self.balanced or self.skip_undetected

    def query(
        self,
        rows: Sequence[ScoreRow],
        batch_size: int,
        rng: np.random.Generator,
        return_utilities: bool = False,
        features: ImageFeatures | None = None,
    ) -> Query:
        """Composes a batch; the order of `rows` does not matter.

        Args:
            rows: one for each unlabelled image.
            batch_size: how many images to choose; all of them where there are fewer.
            rng: the only source of chance.
            return_utilities: whether the query is to carry the utilities of all rows.
            features: of these images and of all that are labelled, if `uses_features`.

        Raises:
            ValueError: two rows have the same image id, `batch_size` is negative, or there are
                no features for a strategy that needs them.
        """
        if batch_size < 0:
            raise ValueError(f"A batch of {batch_size} images.")
        order = _order_by_image_id(rows)
        if self.shuffle:
            order = rng.permutation(order)
        candidates = Candidates(rows, order, features)
        among = np.arange(len(rows))
        if self.skip_undetected:
            among = among[~candidates.undetected]
        zones = self._zones(candidates, among)
        batch = Batch(candidates, zones)
        self._compose(batch, among, min(batch_size, len(among)), rng)
        rest = min(batch_size, len(rows)) - len(batch)
        batch.draw(np.arange(len(rows)), rest, "undetected:fill", rng)
        return Query(
            image_ids=tuple(candidates.image_ids(batch.positions)),
            reasons=tuple(batch.reasons),
            utilities=self._finite_utilities(candidates) if return_utilities else None,
            zones=_zone_names(candidates, zones),
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

    @abstractmethod
    def _fill(self, batch: Batch, among: np.ndarray, count: int, rng: np.random.Generator) -> None:
        """Adds `count` images, 1 to len(among); `among` are free positions, ascending."""

    @abstractmethod
    def _utilities(self, candidates: Candidates) -> np.ndarray:
        """A finite number for each candidate, the higher the more wanted, [N]."""

    def _zones(self, candidates: Candidates, among: np.ndarray) -> np.ndarray | None:
        """The zone of each of some candidates by its index in ZONES, -1 for the others."""
        return None

    def _compose(self, batch, among, count, rng):
        shares = class_shares(batch.candidates, among, count) if self.balanced else []
        for class_id, images, share in shares:
            before, images = len(batch), batch.free(images)
            if wanted := min(share, len(images)):
                self._fill(batch, images, wanted, rng)
            batch.put_before_reasons(f"class:{class_id}:", before)
        if rest := count - len(batch):
            self._fill(batch, batch.free(among), rest, rng)

    def _finite_utilities(self, candidates):
        values = self._utilities(candidates)
        if self.skip_undetected and len(values):
            values = np.where(candidates.undetected, values.min() - 1.0, values)
        return candidates.by_image_id(values)


def _order_by_image_id(rows):
    """Indices of rows; ValueError where two have the same image id."""
    image_ids = np.array([row.image_id for row in rows], str)
    order = np.argsort(image_ids, kind="stable")
    image_ids = image_ids[order]
    if (image_ids[1:] == image_ids[:-1]).any():
        raise ValueError("Two score rows of the same image.")
    return order


def _zone_names(candidates, zones):
    """Image id to the name of its zone, for those that have one."""
    if zones is None:
        return {}
    return candidates.by_image_id(np.array(ZONES, object)[zones], zones >= 0)
