"""Whether there are enough images for a subset, and which of them it takes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mrcnn_al.datasets.splits import Counts, Splits, rank_ids, take_turns
from mrcnn_al.datasets.subset_table import SubsetRow
from mrcnn_al.errors import UserError

# In this order, so that fewer training images leave the others where they are.
SPLITS = ("test", "validation", "train")


class TooFewImages(UserError):
    """The data cannot give the images that a subset wants."""


@dataclass(frozen=True)
class Pool:
    """Images that splits are taken from.

    Attributes:
        name: of the part of the data, for people; empty for all of it.
        splits: those of `SPLITS` that are taken from here, in that order.
        groups: image ids: of each class those that show it alone, or all in one group.
        mixed: the ids of images in no group, which show several classes.
        shown: how many images show each class.
    """

    name: str
    splits: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    mixed: tuple[str, ...]
    shown: tuple[int, ...]

    @property
    def size(self) -> int:
        """Images in all."""
        return sum(map(len, self.groups)) + len(self.mixed)


class _Need(NamedTuple):
    total: int
    each: int

    def is_met_by(self, pool: Pool) -> bool:
        return pool.size >= self.total and min(map(len, pool.groups)) >= self.each


def allot(counts: Counts, pools: Sequence[Pool], seed: int) -> Splits:
    """Takes images from pools that have enough of them, see `check_enough`.

    Classes take turns. Images that show several of them come last.
    """
    taken: dict[str, tuple[str, ...]] = {}
    for pool in pools:
        ordered = take_turns(rank_ids(group, seed) for group in pool.groups)
        ordered += rank_ids(pool.mixed, seed)
        begin = 0
        for split in pool.splits:
            end = begin + getattr(counts, split)
            taken[split] = tuple(ordered[begin:end])
            begin = end
    return Splits(
        taken["train"], taken["train"][: counts.labelled], taken["validation"], taken["test"]
    )


def check_enough(name: str, row: SubsetRow, counts: Counts, pools: Sequence[Pool]) -> None:
    """Makes sure that the pools have the images that the counts ask for.

    Args:
        name: of the subset.
        row: what it is.
        counts: its own, or scaled.
        pools: the images there are.

    Raises:
        TooFewImages: they have not; how many there are of which class, how many are needed, and
            the largest scale that is possible.
    """
    needs = [(_need(row, counts, pool), pool) for pool in pools]
    lacking = [_shortage(row, *found) for found in needs if not found[0].is_met_by(found[1])]
    if lacking:
        raise TooFewImages(
            f"The splits of {name} need {'; and '.join(lacking)}. {_advice(row, pools)}"
        )


def _need(row: SubsetRow, counts: Counts, pool: Pool) -> _Need:
    total = sum(getattr(counts, split) for split in pool.splits)
    if not row.equal:
        return _Need(total, 0)
    return _Need(total, total // len(pool.groups) if _is_equal(row, pool) else 1)


def _is_equal(row: SubsetRow, pool: Pool) -> bool:
    return bool(row.equal) and set(pool.splits) <= set(row.equal)


def _shortage(row: SubsetRow, need: _Need, pool: Pool) -> str:
    where = f" from {pool.name}" if pool.name else ""
    if not row.equal:
        text = f"{need.total:,} images{where}, but there are {pool.size:,}"
        return f"{text} ({_listed(row, pool.shown)})" if len(row.classes) > 1 else text
    alone = tuple(map(len, pool.groups))
    if _is_equal(row, pool):
        return (
            f"{need.each:,} images of each class{where} that show none of the other classes, but "
            f"there are {_listed(row, alone)}"
        )
    return (
        f"{need.total:,} images{where}, at least {need.each} of each class, but there are "
        f"{pool.size:,} ({_listed(row, alone)}, {len(pool.mixed):,} with several)"
    )


def _listed(row: SubsetRow, numbers: Sequence[int]) -> str:
    pairs = zip(row.classes, numbers, strict=True)
    return ", ".join(f"{name} {number:,}" for name, number in pairs)


def _advice(row: SubsetRow, pools: Sequence[Pool]) -> str:
    steps = row.steps()
    low, high = 0, len(steps)
    while low < high:
        middle = (low + high) // 2
        if _is_possible(row, steps[middle], pools):
            low = middle + 1
        else:
            high = middle
    if not low:
        return f"Not even the smallest, with --scale {steps[0]}, is possible."
    train = steps[low - 1]
    # Rounded down, so that it is possible, too.
    fraction = math.floor(1e6 * train / row.counts.train) / 1e6
    return (
        f"The largest that is possible is --scale {train}, the number of training images, or "
        f"--scale {fraction:f} of everything."
    )


def _is_possible(row: SubsetRow, train: int, pools: Sequence[Pool]) -> bool:
    counts = row.scaled(train)
    return all(_need(row, counts, pool).is_met_by(pool) for pool in pools)
