"""The image sets that are known by name, and their splits."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mrcnn_al.datasets.base import Dataset, Subset
from mrcnn_al.datasets.dsb import DsbDataset
from mrcnn_al.datasets.own_data import OWN, open_own_data, open_own_dataset
from mrcnn_al.datasets.splits import Counts, split_ids
from mrcnn_al.datasets.toy import generate_toy
from mrcnn_al.errors import UserError

TOY_SEED = 0
TOY_SIZE = 128


@dataclass(frozen=True)
class Recipe:
    """How a subset comes about.

    Attributes:
        open: from (data or None, cache folder, skip_broken, images needed) to the dataset.
        counts: images in each split.
    """

    open: Callable[[Path | None, Path, bool, int], Dataset]
    counts: Counts


def _open_dsb(data: Path | None, cache: Path, skip_broken: bool, needed: int) -> Dataset:
    if data is None:
        raise UserError(
            "The subset dsb needs data: pass Kaggle's stage1_train.zip of the Data Science Bowl "
            "2018, or its extracted folder."
        )
    return DsbDataset(data, cache, skip_broken)


def _open_toy(data: Path | None, cache: Path, skip_broken: bool, needed: int) -> Dataset:
    # The images are the same for every seed, as those of real sets are: only splits differ.
    return generate_toy(data or cache / f"toy-{needed}", TOY_SEED, needed, TOY_SIZE)


SUBSETS = {
    "dsb": Recipe(_open_dsb, Counts(train=480, labelled=40, validation=51, test=133)),
    "toy": Recipe(_open_toy, Counts(train=64, labelled=12, validation=10, test=24)),
}


def open_subset(
    name: str | None,
    data: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = None,
    seed: int = 0,
    skip_broken: bool = False,
    labelled: int | None = None,
) -> Subset:
    """Opens an image set by name and splits it.

    Args:
        name: one of `SUBSETS`; None or `own` for a COCO folder, see `open_own_data`.
        data: where the images are; for `toy` where they are to be, in the cache by default.
        cache: folder for what is costly to make; `default_cache()` if None.
        seed: decides the splits, nothing else does.
        skip_broken: leave out images that cannot be read; the training set shrinks.
        labelled: images labelled at the start, in place of the subset's own number.

    Raises:
        UserError: the name is unknown, the data is missing or unusable, `labelled` is out of
            range, or there are too few images.
    """
    if name in (None, OWN):
        return open_own_data(_given(data), seed, labelled, skip_broken)
    counts = _recipe(name).counts
    if labelled is not None:
        counts = replace(counts, labelled=labelled)
    counts.check()
    dataset = open_dataset(name, data, cache, skip_broken)
    if skip_broken:
        counts = counts.shrunk_to(len(dataset.image_ids))
    return Subset(name, dataset, *split_ids(dataset.image_ids, counts, seed))


def open_dataset(
    name: str | None,
    data: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = None,
    skip_broken: bool = False,
) -> Dataset:
    """Opens an image set by name, all of it, whether or not it is large enough to be split.

    Args and errors are those of `open_subset`.
    """
    if name in (None, OWN):
        return open_own_dataset(_given(data), skip_broken)
    recipe = _recipe(name)
    return recipe.open(
        None if data is None else Path(data),
        default_cache() if cache is None else Path(cache),
        skip_broken,
        recipe.counts.total,
    )


def _given(data: str | os.PathLike | None) -> str | os.PathLike:
    if data is None:
        raise UserError("Your own images need --data: a folder that holds a COCO JSON file.")
    return data


def _recipe(name: str) -> Recipe:
    if name not in SUBSETS:
        raise UserError(
            f"Unknown subset {name!r}. Known are: {', '.join(sorted(SUBSETS))}. "
            "For your own images pass --data without a subset."
        )
    return SUBSETS[name]


def default_cache() -> Path:
    """The user's cache folder for this package, `$XDG_CACHE_HOME` respected."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mrcnn_al"
