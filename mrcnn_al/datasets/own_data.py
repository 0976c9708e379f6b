"""A user's own images with a COCO annotation file, split for active learning."""

import os
from pathlib import Path

from mrcnn_al.datasets.base import Dataset, Subset
from mrcnn_al.datasets.coco import CocoDataset
from mrcnn_al.datasets.coco_layout import find_annotation_files
from mrcnn_al.datasets.combined import CombinedDataset
from mrcnn_al.datasets.splits import Counts, split_ids
from mrcnn_al.errors import UserError

OWN = "own"

_TEST = 0.2
_VALIDATION = 0.1
_LABELLED = 0.1
_LABELLED_PER_CLASS = 2


def open_own_dataset(
    path: str | os.PathLike,
    skip_broken: bool = False,
    cache: str | os.PathLike | None = None,
) -> Dataset:
    """Opens a COCO folder as people have it, or one annotation file.

    Args:
        path: a folder (see `find_annotation_files`), or an annotation file. Images are looked
            for beside it (see `find_image_folder`).
        skip_broken: leave out what cannot be used instead of raising.
        cache: folder for the indices of large annotation files; None to keep none.

    Returns:
        A CocoDataset for one annotation file; for several a CombinedDataset of the parts
        `train`, `val` and `test`.

    Raises:
        UserError: nothing is there, it is not clear what is meant, or it cannot be used.
    """
    return _combined(_open_parts(path, skip_broken, cache))


def open_own_data(
    path: str | os.PathLike,
    seed: int = 0,
    labelled: int | None = None,
    skip_broken: bool = False,
    cache: str | os.PathLike | None = None,
) -> Subset:
    """Opens a COCO folder as people have it and splits it.

    A file for training is the pool; a tenth of it is held out for validation unless there is a
    file for each of training, validation and test. A single file for validation is the test
    set. A file alone is split into pool, validation and test, about 70 : 10 : 20.

    Args:
        path: as of `open_own_dataset`.
        seed: decides the splits, nothing else does.
        labelled: images labelled at the start; by default a tenth of the pool, at least two for
            each class, at most half of the pool.
        skip_broken: leave out what cannot be used instead of raising.
        cache: as of `open_own_dataset`.

    Raises:
        UserError: as `open_own_dataset` does; there are too few images, or `labelled` is out of
            range.
    """
    parts = _open_parts(path, skip_broken, cache)
    dataset = _combined(parts)
    pool = dataset.of_part("train") if len(parts) > 1 else dataset.image_ids
    given = {name: dataset.of_part(name) for name in parts if name in ("val", "test")}
    test = given.get("test") or given.get("val") or ()
    validation = given["val"] if len(given) == 2 else ()
    held_out = (_share(len(pool), _VALIDATION, not validation), _share(len(pool), _TEST, not test))
    train = len(pool) - sum(held_out)
    if train < 1:
        raise UserError(
            f"{path} has {len(pool)} image(s) to train on, too few to hold out some of them for "
            f"validation or the test: at least {1 + sum(held_out)} are needed."
        )
    if labelled is None:
        labelled = _labelled_by_default(train, len(dataset.class_names))
    splits = split_ids(pool, Counts(train, labelled, *held_out), seed)
    return Subset(
        OWN,
        dataset,
        splits.train,
        splits.labelled,
        validation or splits.validation,
        test or splits.test,
    )


def _open_parts(
    path: str | os.PathLike, skip_broken: bool, cache: str | os.PathLike | None
) -> dict[str, CocoDataset]:
    path = Path(path)
    if path.is_dir():
        files = find_annotation_files(path)
    elif path.suffix.lower() == ".json":
        files = {"all": path}
    elif path.exists():
        raise UserError(
            f"{path} is neither a folder nor a COCO annotation file (.json). Unpack an archive, "
            "or name its image set with --subset."
        )
    else:
        raise UserError(f"{path} does not exist. Pass a folder of images with a COCO JSON file.")
    return {
        role: CocoDataset(file, skip_broken=skip_broken, cache_folder=cache)
        for role, file in sorted(files.items())
    }


def _combined(parts: dict[str, CocoDataset]) -> CocoDataset | CombinedDataset:
    return CombinedDataset(parts) if len(parts) > 1 else next(iter(parts.values()))


def _share(count: int, share: float, needed: bool) -> int:
    return max(1, round(share * count)) if needed else 0


def _labelled_by_default(train: int, classes: int) -> int:
    wanted = max(round(_LABELLED * train), _LABELLED_PER_CLASS * classes)
    return max(1, min(wanted, train // 2))
