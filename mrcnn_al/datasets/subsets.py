"""The image sets that are known by name, opened and split."""

import os
from dataclasses import replace
from pathlib import Path

from mrcnn_al.datasets.allotment import SPLITS, Pool, allot, check_enough
from mrcnn_al.datasets.base import Dataset, Subset
from mrcnn_al.datasets.class_view import ClassView
from mrcnn_al.datasets.coco_subsets import coco_pools, open_coco_subset
from mrcnn_al.datasets.dsb import DsbDataset
from mrcnn_al.datasets.own_data import OWN, open_own_data, open_own_dataset
from mrcnn_al.datasets.splits import Counts
from mrcnn_al.datasets.subset_table import SUBSETS, SubsetRow
from mrcnn_al.datasets.toy import generate_toy
from mrcnn_al.errors import UserError

TOY_SEED = 0
TOY_SIZE = 128


def open_subset(
    name: str | None,
    data: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = None,
    seed: int = 0,
    skip_broken: bool = False,
    labelled: int | None = None,
    scale: float | None = None,
) -> Subset:
    """Opens an image set by name and splits it.

    Args:
        name: one of `SUBSETS`; None or `own` for a COCO folder, see `open_own_data`.
        data: where the images are; for `toy` where they are to be, in the cache by default.
        cache: folder for what is costly to make; `default_cache()` if None.
        seed: decides the splits, nothing else does.
        skip_broken: leave out images that cannot be read. The training set shrinks; one of COCO
            2017 takes others.
        labelled: images labelled at the start, in place of the subset's own number. Of equal
            classes some have one more than others if it is not a multiple.
        scale: a smaller set, see `SubsetRow.scaled`.

    Raises:
        UserError: the name is unknown, the data is missing or unusable, `labelled` or `scale` is
            out of range, or there are too few images (TooFewImages).
    """
    if name in (None, OWN):
        if scale is not None:
            raise UserError(
                "--scale is for image sets with a name; your own images are used as they are."
            )
        return open_own_data(_given(data), seed, labelled, skip_broken, _cache(cache))
    _wanted(name, labelled, scale)
    dataset = open_dataset(name, data, cache, skip_broken, scale)
    return split_dataset(name, dataset, seed, skip_broken, labelled, scale)


def open_dataset(
    name: str | None,
    data: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = None,
    skip_broken: bool = False,
    scale: float | None = None,
) -> Dataset:
    """Opens an image set by name, all of it, whether or not it is large enough to be split.

    Args and errors are those of `open_subset`; of images that are made, `scale` says how many.
    """
    if name in (None, OWN):
        return open_own_dataset(_given(data), skip_broken, _cache(cache))
    row = _row(name)
    needed = row.scaled(scale).total
    data = None if data is None else Path(data)
    cache = _cache(cache)
    if row.source == "coco":
        return open_coco_subset(name, row, data, skip_broken, cache)
    if row.source == "toy":
        # The images are the same for every seed, as those of real sets are: only splits differ.
        return generate_toy(data or cache / f"toy-{needed}", TOY_SEED, needed, TOY_SIZE)
    if data is None:
        raise UserError(
            f"The subset {name} needs data: pass Kaggle's stage1_train.zip of the Data Science "
            "Bowl 2018, or its extracted folder."
        )
    return DsbDataset(data, cache, skip_broken)


def split_dataset(
    name: str,
    dataset: Dataset,
    seed: int = 0,
    skip_broken: bool = False,
    labelled: int | None = None,
    scale: float | None = None,
) -> Subset:
    """Splits what `open_dataset` opened under the same name.

    Args and errors are those of `open_subset`.
    """
    row, counts = _row(name), _wanted(name, labelled, scale)
    if isinstance(dataset, ClassView):
        pools = coco_pools(row, dataset)
    else:
        ids = dataset.image_ids
        pools = (Pool("", SPLITS, (ids,), (), (len(ids),) * len(row.classes)),)
        shrunk = counts.shrunk_to(len(ids))
        if skip_broken and shrunk.train >= shrunk.labelled:
            counts = shrunk
    check_enough(name, row, counts, pools)
    return Subset(name, dataset, *allot(counts, pools, seed))


def _wanted(name: str, labelled: int | None, scale: float | None) -> Counts:
    counts = _row(name).scaled(scale)
    if labelled is not None:
        counts = replace(counts, labelled=labelled)
    counts.check()
    return counts


def _cache(folder: str | os.PathLike | None) -> Path:
    return default_cache() if folder is None else Path(folder)


def _given(data: str | os.PathLike | None) -> str | os.PathLike:
    if data is None:
        raise UserError("Your own images need --data: a folder that holds a COCO JSON file.")
    return data


def _row(name: str) -> SubsetRow:
    if name not in SUBSETS:
        raise UserError(
            f"Unknown subset {name!r}. Known are: {', '.join(sorted(SUBSETS))}. "
            "For your own images pass --data without a subset."
        )
    return SUBSETS[name]


def default_cache() -> Path:
    """The user's cache folder for this package, `$XDG_CACHE_HOME` respected."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mrcnn_al"
