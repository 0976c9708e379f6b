"""Images and instances read from COCO's format."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mrcnn_al.datasets.annotation_reader import ListedImage
from mrcnn_al.datasets.base import Annotations, Dataset, Labels
from mrcnn_al.datasets.coco_index import open_index
from mrcnn_al.datasets.coco_layout import find_image_folder
from mrcnn_al.datasets.coco_segmentation import compressed_rle
from mrcnn_al.datasets.image_file import check_image_file, image_size, read_image
from mrcnn_al.datasets.image_folder import ImageFolder
from mrcnn_al.datasets.shown import first_few, shown
from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances
from mrcnn_al.progress import progress

ANNOTATIONS = Path("annotations", "instances.json")
IMAGES = "images"

# Masks of images that are said to be larger than this are not made without a look at the file.
_LARGE = 2**24


class CocoDataset(Dataset):
    """A COCO annotation file and the folder of its images.

    Classes are numbered 1, 2, ... in the order of the category ids, which may have gaps. Image
    ids are COCO's as text, sorted as numbers. Crowd regions are instances marked `crowd`. Images
    without annotations have no instances. Opening decodes no image and draws no mask.

    Args:
        annotation_json: the annotation file (`instances_*.json`).
        image_folder: what the `file_name` of each image is relative to; None to look for it
            (see `find_image_folder`).
        skip_broken: leave out images without a file, cut off, or of another size than announced,
            and annotations without an image, a category or a mask, instead of raising.
        cache_folder: where the index of a large annotation file is kept, which makes later
            openings many times quicker (see `open_index`); None to keep none.

    Attributes:
        skipped: what was wrong with each image and annotation that was left out.
        source: the two paths, for people.

    Raises:
        UserError: a file or folder is missing, the JSON is broken or inconsistent, an image file
            is missing or lies outside of the folder; the message names it. The cache folder cannot
            be written.
    """

    def __init__(
        self,
        annotation_json: str | os.PathLike,
        image_folder: str | os.PathLike | None = None,
        skip_broken: bool = False,
        cache_folder: str | os.PathLike | None = None,
    ):
        self._json = Path(annotation_json)
        index = open_index(self._json, cache_folder)
        self.category_ids = tuple(index.categories)
        self.class_names = tuple(index.categories.values())
        images = index.images
        if image_folder is None:
            image_folder = find_image_folder(self._json, [i.file_name for i in images.values()])
        self._folder = Path(image_folder)
        self.source = f"{self._json} with the images in {self._folder}"
        problems: list[str] = []
        self._images, absent = self._present(images, skip_broken, problems)
        self._table = index.table
        problems += [problem.text for problem in index.problems if problem.image not in absent]
        self.skipped = tuple(problems)
        if problems and not skip_broken:
            raise self._error(
                f"has {len(problems)} problem(s): "
                f"{first_few(problems)}. Correct this, or leave out what is broken "
                "(--skip-broken)"
            )
        if not self._images:
            raise self._error(f"has no image that can be used: {first_few(problems)}")
        ordered = sorted(self._images)
        self.image_ids = tuple(map(str, ordered))
        self._numbers = [self._images[image_id].number for image_id in ordered]

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
        pixels = read_image(self._folder / image.file_name)
        self._check_size(image, pixels.shape[:2])
        return pixels

    def load_instances(self, image_id: str) -> Instances:
        image = self._images[int(image_id)]
        size = image.height, image.width
        annotations = self._table.of_image(image.number, *size)
        return Instances.from_rles(
            [compressed_rle(annotation.segmentation, *size) for annotation in annotations],
            [annotation.class_id for annotation in annotations],
            *size,
            crowd=[annotation.crowd for annotation in annotations],
        )

    def instance_count(self, image_id: str) -> int:
        """Annotations of the image; a polygon too thin to cover a pixel counts here only."""
        return self._table.count(self._images[int(image_id)].number)

    def annotations(self, image_id: str) -> Annotations:
        from pycocotools import mask as coco_mask

        image = self._images[int(image_id)]
        size = image.height, image.width
        found = self._table.of_image(image.number, *size)
        rles = [compressed_rle(annotation.segmentation, *size) for annotation in found]
        return Annotations(
            np.array([annotation.class_id for annotation in found], np.int32),
            # One by one: of more than 255 at once pycocotools 2.0.11 cannot tell the areas.
            np.array([int(coco_mask.area(rle)) for rle in rles], np.int64),
            np.array([annotation.crowd for annotation in found], bool),
        )

    def labels(self) -> Labels:
        """Counts polygons too thin to cover a pixel, as `instance_count` does."""
        numbers, class_ids, crowd = self._table.labels()
        positions = np.full(self._table.image_count, -1)
        positions[self._numbers] = np.arange(len(self._numbers))
        images = positions[numbers]
        # Those of images without a file come first.
        order = np.argsort(images, kind="stable")[np.count_nonzero(images < 0) :]
        return Labels(images[order], class_ids[order].astype(np.int64), crowd[order])

    def check_image(self, image_id: str) -> None:
        image = self._images[int(image_id)]
        self._check_size(image, check_image_file(self._folder / image.file_name))

    def _error(self, message: str) -> UserError:
        return UserError(f"The COCO annotation file {self._json} {message}.")

    def _present(
        self, images: dict[int, ListedImage], look_inside: bool, problems: list[str]
    ) -> tuple[dict[int, ListedImage], set[int]]:
        """The images whose files are there, and the numbers of the others."""
        if not self._folder.is_dir():
            raise UserError(f"The image folder {self._folder} does not exist.")
        folder = ImageFolder(self._folder)
        present, absent = {}, set()
        for image_id, image in self._followed(images, look_inside):
            try:
                if not folder.holds(image.file_name):
                    raise UserError(f"The image {self._folder / image.file_name} does not exist.")
                if look_inside:
                    self._check_size(image, check_image_file(self._folder / image.file_name))
                elif image.height * image.width > _LARGE:
                    self._check_size(image, image_size(self._folder / image.file_name))
                present[image_id] = image
            except ValueError as error:
                raise self._error(
                    f"is refused, it has an image outside of the image folder {self._folder}: "
                    f"{error}"
                ) from error
            except UserError as error:
                problems.append(_clause(error))
                absent.add(image.number)
        return present, absent

    def _followed(
        self, images: dict[int, ListedImage], shows: bool
    ) -> Iterable[tuple[int, ListedImage]]:
        if not shows:
            yield from images.items()
            return
        with progress(f"looking into {self._folder}", len(images), "images") as advance:
            for item in images.items():
                yield item
                advance()

    def _check_size(self, image: ListedImage, size: tuple[int, int]) -> None:
        if tuple(size) != (image.height, image.width):
            raise UserError(
                f"The image {self._folder / image.file_name} is {size[0]} x {size[1]} (height x "
                f"width), but {self._json} says {shown(image.height)} x {shown(image.width)}. "
                "Correct one of them."
            )


def _clause(error: UserError) -> str:
    return str(error).removesuffix(".")
