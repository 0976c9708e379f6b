"""Images and instances in COCO's format, read and written."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mrcnn_al.datasets.base import Dataset
from mrcnn_al.datasets.coco_segmentation import Segmentation, compressed_rle, parse_segmentation
from mrcnn_al.datasets.image_file import read_image, write_image
from mrcnn_al.errors import UserError
from mrcnn_al.files import read_json, write_json
from mrcnn_al.instances import Instances

ANNOTATIONS = Path("annotations", "instances.json")
IMAGES = "images"


class _Image(NamedTuple):
    path: Path
    height: int
    width: int
    annotations: list


class _Annotation(NamedTuple):
    class_id: int
    segmentation: Segmentation
    crowd: bool


class CocoDataset(Dataset):
    """A COCO annotation file and the folder of its images.

    Classes are numbered 1, 2, ... in the order of the category ids, which may have gaps. Image
    ids are COCO's as text, sorted as numbers. Crowd regions are instances marked `crowd`.

    Args:
        annotation_json: the annotation file (`instances_*.json`).
        image_folder: what the `file_name` of each image is relative to.

    Raises:
        UserError: a file or folder is missing, the JSON is broken or inconsistent, an image file
            is missing or lies outside of the folder; the message names it.
    """

    def __init__(self, annotation_json: str | os.PathLike, image_folder: str | os.PathLike):
        self._json = Path(annotation_json)
        self._folder = Path(image_folder)
        content = read_json(self._json, "COCO annotation file")
        sections = [self._section(content, name) for name in ("categories", "images")]
        categories, images = sections
        names = self._index_categories(categories)
        self.category_ids = tuple(sorted(names))
        self.class_names = tuple(names[category] for category in self.category_ids)
        self._images = self._index_images(images)
        self.image_ids = tuple(map(str, sorted(self._images)))
        self._index_annotations(self._section(content, "annotations"))

    @classmethod
    def open_folder(cls, path: str | os.PathLike) -> "CocoDataset":
        """Opens a folder laid out as `annotations/instances.json` and `images/`.

        Raises:
            UserError: as the constructor does.
        """
        return cls(Path(path) / ANNOTATIONS, Path(path) / IMAGES)

    def size(self, image_id: str) -> tuple[int, int]:
        image = self._images[int(image_id)]
        return image.height, image.width

    def load_image(self, image_id: str) -> np.ndarray:
        image = self._images[int(image_id)]
        pixels = read_image(image.path)
        if pixels.shape[:2] != (image.height, image.width):
            raise UserError(
                f"The image {image.path} is {pixels.shape[0]} x {pixels.shape[1]} (height x width),"
                f" but {self._json} says {image.height} x {image.width}. Correct one of them."
            )
        return pixels

    def load_instances(self, image_id: str) -> Instances:
        image = self._images[int(image_id)]
        rles = [
            compressed_rle(annotation.segmentation, image.height, image.width)
            for annotation in image.annotations
        ]
        class_ids = [annotation.class_id for annotation in image.annotations]
        crowd = [annotation.crowd for annotation in image.annotations]
        return Instances.from_rles(rles, class_ids, image.height, image.width, crowd=crowd)

    def instance_count(self, image_id: str) -> int:
        """Annotations of the image; a polygon too thin to cover a pixel counts here only."""
        return len(self._images[int(image_id)].annotations)

    def _error(self, message: str) -> UserError:
        return UserError(f"The COCO annotation file {self._json} {message}.")

    def _section(self, content: Any, name: str) -> list[dict]:
        section = content.get(name) if isinstance(content, dict) else None
        if not isinstance(section, list) or not all(isinstance(entry, dict) for entry in section):
            raise self._error(f'has no list "{name}" of objects; is it an instances_*.json?')
        if not section and name != "annotations":
            raise self._error(f'has an empty list "{name}"')
        return section

    def _field(self, entry: dict, what: str, name: str, kind: type) -> Any:
        value = entry.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            wanted = {int: "whole number", str: "text"}[kind]
            raise self._error(f'has an {what} whose "{name}" is no {wanted}: {str(entry)[:200]}')
        return value

    def _index_categories(self, categories: list[dict]) -> dict[int, str]:
        names: dict[int, str] = {}
        for category in categories:
            category_id = self._field(category, "entry of categories", "id", int)
            if category_id in names:
                raise self._error(f"has two categories with the id {category_id}")
            names[category_id] = self._field(category, "entry of categories", "name", str)
        return names

    def _index_images(self, entries: list[dict]) -> dict[int, _Image]:
        if not self._folder.is_dir():
            raise UserError(f"The image folder {self._folder} does not exist.")
        root = os.path.realpath(self._folder)
        images: dict[int, _Image] = {}
        missing = []
        for entry in entries:
            image_id = self._field(entry, "image", "id", int)
            if image_id in images:
                raise self._error(f"has two images with the id {image_id}")
            name = self._field(entry, "image", "file_name", str)
            if not _lies_inside(name, root):
                raise self._error(
                    f"names an image outside of the image folder {self._folder}: {name!r}"
                )
            path = self._folder / name
            if not path.is_file():
                missing.append(path)
            height, width = (self._field(entry, "image", side, int) for side in ("height", "width"))
            if height < 1 or width < 1:
                raise self._error(f"says that image {image_id} is {height} x {width} pixels")
            images[image_id] = _Image(path, height, width, [])
        if missing:
            raise UserError(
                f"{len(missing)} of {len(images)} images named in {self._json} do not exist, "
                f"the first is {missing[0]}. Complete the folder or give another one."
            )
        return images

    def _index_annotations(self, annotations: list[dict]) -> None:
        class_ids = {category: index for index, category in enumerate(self.category_ids, start=1)}
        for position, entry in enumerate(annotations):
            name = f"annotation {entry.get('id', f'number {position}')}"
            image = self._images.get(_hashable(entry.get("image_id")))
            class_id = class_ids.get(_hashable(entry.get("category_id")))
            if image is None:
                raise self._error(f"has no image {entry.get('image_id')!r}, which {name} is of")
            if class_id is None:
                raise self._error(f"has no category {entry.get('category_id')!r}, used by {name}")
            try:
                mask = parse_segmentation(entry.get("segmentation"), image.height, image.width)
            except (ValueError, OverflowError) as error:
                raise self._error(f"has a wrong {name}: {error}") from error
            image.annotations.append(_Annotation(class_id, mask, entry.get("iscrowd") == 1))


def write_coco_folder(
    path: str | os.PathLike,
    class_names: Sequence[str],
    items: Iterable[tuple[int, str, np.ndarray, Instances]],
) -> None:
    """Writes what `CocoDataset.open_folder` opens: PNG images and one annotation file.

    Each file is replaced as a whole, the annotation file after all the images.

    Args:
        path: the folder; made if absent.
        class_names: of classes 1, 2, ..., which become the category ids.
        items: (image id, file name under `images/`, RGB uint8 [H, W, 3], instances) per image.

    Raises:
        ValueError: an image is not of its instances' size, or a file name leaves the folder.
    """
    folder = Path(path)
    images, annotations = [], []
    for image_id, file_name, pixels, instances in items:
        if pixels.shape != (instances.height, instances.width, 3) or pixels.dtype != np.uint8:
            raise ValueError(f"Image {image_id} is {pixels.dtype} {pixels.shape}, not RGB uint8.")
        if not _lies_inside(file_name, os.path.realpath(folder / IMAGES)):
            raise ValueError(f"The file name {file_name!r} leaves the folder {folder / IMAGES}.")
        write_image(folder / IMAGES / file_name, pixels)
        images.append(
            {
                "id": int(image_id),
                "file_name": file_name,
                "height": instances.height,
                "width": instances.width,
            }
        )
        annotations.extend(_annotations(int(image_id), instances, len(annotations) + 1))
    categories = [
        {"id": index, "name": name, "supercategory": ""}
        for index, name in enumerate(class_names, start=1)
    ]
    content = {"images": images, "annotations": annotations, "categories": categories}
    write_json(folder / ANNOTATIONS, content)


def _annotations(image_id: int, instances: Instances, first_id: int) -> list[dict]:
    areas, rles = instances.areas(), instances.rles()
    return [
        {
            "id": first_id + index,
            "image_id": image_id,
            "category_id": int(instances.class_ids[index]),
            "segmentation": rles[index],
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": int(areas[index]),
            "iscrowd": int(instances.crowd[index]),
        }
        for index, (y1, x1, y2, x2) in enumerate(instances.boxes.tolist())
    ]


def _lies_inside(name: str, root: str) -> bool:
    """Whether a file name stays in the folder `root`, symbolic links followed."""
    if "\0" in name or os.path.isabs(name) or ".." in Path(name).parts:
        return False
    return os.path.realpath(os.path.join(root, name)).startswith(os.path.join(root, ""))


def _hashable(value: Any) -> Any:
    return value if isinstance(value, int) else None
