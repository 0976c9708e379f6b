"""The subsets that are parts of COCO 2017."""

from pathlib import Path

import numpy as np

from mrcnn_al.datasets.allotment import SPLITS, Pool
from mrcnn_al.datasets.class_view import ClassView
from mrcnn_al.datasets.coco import CocoDataset
from mrcnn_al.datasets.combined import CombinedDataset
from mrcnn_al.datasets.subset_table import TRAIN, SubsetRow
from mrcnn_al.errors import UserError


def open_coco_subset(
    name: str, row: SubsetRow, data: Path | None, skip_broken: bool, cache: Path | None = None
) -> ClassView:
    """Opens the parts of a COCO 2017 folder that a subset uses, and sees its classes only.

    Args:
        name: of the subset.
        row: what it is.
        data: the folder that holds `annotations/instances_train2017.json`,
            `annotations/instances_val2017.json` and, beside or within `images/`, `train2017/`
            and `val2017/`.
        skip_broken: leave out what cannot be used instead of raising.
        cache: folder for the indices of large annotation files; None to keep none.

    Returns:
        The images with an instance of one of the classes; their ids begin with the name of the
        part, such as `train2017-25`.

    Raises:
        UserError: there is no such folder, it is not complete, or cannot be used.
    """
    if data is None:
        raise UserError(
            f"The subset {name} needs data: pass the folder of COCO 2017 that holds annotations/, "
            "train2017/ and val2017/."
        )
    files = {part: data / "annotations" / f"instances_{part}.json" for part in _parts(row)}
    for file in files.values():
        if not file.is_file():
            raise UserError(
                f"The subset {name} needs {file}, which does not exist. Pass the folder of "
                "COCO 2017 that holds annotations/, train2017/ and val2017/."
            )
    parts = {
        part: CocoDataset(file, skip_broken=skip_broken, cache_folder=cache)
        for part, file in files.items()
    }
    return ClassView(CombinedDataset(parts), row.classes)


def coco_pools(row: SubsetRow, view: ClassView) -> tuple[Pool, ...]:
    """What `open_coco_subset` found, by part and, where they are equal, by class."""
    ids, presence = np.array(view.image_ids, object), view.presence()
    several = presence.sum(axis=1) > 1
    pools = []
    for part in _parts(row):
        inside = np.array([image_id.startswith(f"{part}-") for image_id in ids], bool)
        alone = inside & ~several
        groups = [alone & of_class for of_class in presence.T] if row.equal else [inside]
        pools.append(
            Pool(
                part,
                tuple(split for split in SPLITS if _part_of(row, split) == part),
                tuple(tuple(ids[group]) for group in groups),
                tuple(ids[inside & several]) if row.equal else (),
                tuple(presence[inside].sum(axis=0).tolist()),
            )
        )
    return tuple(pools)


def _part_of(row: SubsetRow, split: str) -> str:
    return row.validation_from if split == "validation" else TRAIN


def _parts(row: SubsetRow) -> tuple[str, ...]:
    return tuple(dict.fromkeys((TRAIN, row.validation_from)))
