"""Which image is used for what, decided by a seed."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import NamedTuple

from mrcnn_al.errors import UserError


@dataclass(frozen=True)
class Counts:
    """How many images each split has.

    Attributes:
        train: the pool, labelled images included.
        labelled: of the pool at the start.
        validation: images.
        test: images.
    """

    train: int
    labelled: int
    validation: int
    test: int

    @property
    def total(self) -> int:
        """Images needed in all."""
        return self.train + self.validation + self.test

    def check(self) -> None:
        """Raises UserError unless 1 to `train` images are labelled at the start."""
        if not 1 <= self.labelled <= self.train:
            raise UserError(
                f"{self.labelled} images labelled at the start is out of range: "
                f"give 1 to {self.train}, the size of the training set."
            )

    def shrunk_to(self, total: int) -> "Counts":
        """The same with as many images less for training as are lacking from `total`."""
        return replace(self, train=max(0, min(self.train, total - self.validation - self.test)))


class Splits(NamedTuple):
    """Image ids; `labelled` are the first of `train`, the other three have none in common."""

    train: tuple[str, ...]
    labelled: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def split_ids(image_ids: Iterable[str], counts: Counts, seed: int) -> Splits:
    """Distributes images by a permutation that depends on the seed and the ids only.

    Args:
        image_ids: unique, in any order; those beyond the counts are not used. See `rank_ids`.
        counts: of each split.
        seed: any whole number.

    Raises:
        UserError: there are too few images, or `labelled` is not in 1..`train`.
    """
    ordered = rank_ids(image_ids, seed)
    if len(ordered) < counts.total:
        raise UserError(
            f"The splits need {counts.total} images ({counts.train} for training, "
            f"{counts.validation} for validation, {counts.test} for the test), "
            f"but there are {len(ordered)}."
        )
    counts.check()
    held_out = counts.test + counts.validation
    train = tuple(ordered[held_out : counts.total])
    return Splits(
        train=train,
        labelled=train[: counts.labelled],
        validation=tuple(ordered[counts.test : held_out]),
        test=tuple(ordered[: counts.test]),
    )


def rank_ids(image_ids: Iterable[str], seed: int) -> list[str]:
    """A permutation of image ids: ordered by a hash of seed and id.

    Unlike a shuffle this is the same with every version of every library, and an image that is
    left out does not move the others about.
    """
    return sorted(
        image_ids, key=lambda image_id: hashlib.sha256(f"{seed}/{image_id}".encode()).digest()
    )


def take_turns(groups: Iterable[Iterable[str]]) -> list[str]:
    """The first of each group, then the second of each, and so on, until all have run out.

    Any beginning of it holds as many of one group as of another, as long as there are any.
    """
    rounds = zip_longest(*groups)
    return [image_id for turn in rounds for image_id in turn if image_id is not None]
