"""A synthetic set of microscopy images, so that everything runs without a download."""

import os
from pathlib import Path

import numpy as np

from mrcnn_al.datasets.coco import CocoDataset
from mrcnn_al.datasets.coco_writer import write_coco_folder
from mrcnn_al.datasets.toy_image import CLASS_NAMES, draw_image
from mrcnn_al.errors import UserError
from mrcnn_al.files import read_json, write_json

VERSION = 1
MARKER = "toy.json"


def generate_toy(path: str | os.PathLike, seed: int, count: int, size: int = 128) -> CocoDataset:
    """Writes synthetic nuclei as a COCO folder, or opens the folder if it holds the same set.

    Nuclei of three classes of tissue, bright on dark or stained, 2 to 25 an image, some touching,
    none overlapping. One seed gives the same pixels and annotations on every machine, and an
    image does not depend on how many there are.

    Args:
        path: the folder; made if absent.
        seed: 0 or above.
        count: of images, from 1.
        size: height and width of the images, pixels, from 64.

    Raises:
        UserError: an argument is out of range, or the folder holds something else.
    """
    for name, value, lowest in (("seed", seed, 0), ("count", count, 1), ("size", size, 64)):
        if value < lowest:
            raise UserError(f"The {name} of a toy set must be {lowest} or more, not {value}.")
    folder = Path(path)
    recipe = {"version": VERSION, "seed": seed, "count": count, "size": size}
    if not _is_complete(folder, recipe):
        # The marker goes first: a folder that was left half written is known for what it is.
        write_json(folder / MARKER, recipe | {"complete": False})
        write_coco_folder(folder, CLASS_NAMES, _items(seed, count, size))
        write_json(folder / MARKER, recipe | {"complete": True})
    return CocoDataset.open_folder(folder)


def _is_complete(folder: Path, recipe: dict[str, int]) -> bool:
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise UserError(f"The toy set cannot be written to {folder}: it is a file.")
    if not (folder / MARKER).exists():
        if any(folder.iterdir()):
            raise UserError(f"{folder} is not empty and holds no toy set. Give another folder.")
        return False
    marker = read_json(folder / MARKER, "description of the toy set")
    complete = marker.pop("complete", False) if isinstance(marker, dict) else None
    if marker != recipe:
        raise UserError(f"{folder} holds another toy set: {marker}, not {recipe}. Give another.")
    return complete is True


def _items(seed: int, count: int, size: int):
    for index in range(1, count + 1):
        rng = np.random.Generator(np.random.PCG64([seed, index]))
        yield index, f"{index:05d}.png", *draw_image(rng, size)
