"""What a dataset holds, in numbers."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mrcnn_al.datasets.base import Dataset
from mrcnn_al.errors import UserError
from mrcnn_al.progress import progress

# COCO's borders between small, medium and large objects, pixels of the mask.
MEDIUM = 32**2
LARGE = 96**2


class Spread(NamedTuple):
    """The least, the middle and the greatest of some numbers."""

    minimum: float
    median: float
    maximum: float

    @classmethod
    def of(cls, values: np.ndarray) -> "Spread":
        """Of at least one number."""
        return cls(float(values.min()), float(np.median(values)), float(values.max()))


class ClassCount(NamedTuple):
    """How often a class occurs.

    Attributes:
        name: of the class.
        images: in which it occurs, as instance or crowd.
        instances: without crowds.
        crowds: regions marked `iscrowd`.
    """

    name: str
    images: int
    instances: int
    crowds: int


@dataclass(frozen=True)
class Statistics:
    """What a dataset holds.

    Attributes:
        images: how many.
        unannotated: images without an instance or a crowd.
        classes: in the order of their numbers.
        heights: of the images, pixels.
        widths: of the images, pixels.
        per_image: instances an image, crowds not counted.
        small: instances of less than 32 x 32 pixels.
        medium: instances from there to less than 96 x 96 pixels.
        large: the larger ones.
        invisible: annotations whose mask covers no pixel; in no other number.
        problems: what is wrong with the image files and what was left out on opening.
    """

    images: int
    unannotated: int
    classes: tuple[ClassCount, ...]
    heights: Spread
    widths: Spread
    per_image: Spread
    small: int
    medium: int
    large: int
    invisible: int
    problems: tuple[str, ...]

    @property
    def instances(self) -> int:
        """Of all classes, without crowds."""
        return self.small + self.medium + self.large

    @property
    def crowds(self) -> int:
        """Of all classes."""
        return sum(entry.crowds for entry in self.classes)


def count_dataset(dataset: Dataset) -> Statistics:
    """Counts the images and instances of a dataset; decodes no image where it can be helped."""
    problems = list(dataset.skipped)
    total = len(dataset.image_ids)
    sizes, per_image, empty, invisible = np.zeros((total, 2), int), np.zeros(total, int), 0, 0
    counts = np.zeros((3, len(dataset.class_names) + 1), int)
    areas = []
    with progress("counting", total, "images") as advance:
        for index, image_id in enumerate(dataset.image_ids):
            try:
                dataset.check_image(image_id)
            except UserError as error:
                problems.append(str(error).removesuffix("."))
            sizes[index] = dataset.size(image_id)
            class_ids, found, crowd = dataset.annotations(image_id)
            seen = found > 0
            invisible += int((~seen).sum())
            class_ids, found, crowd = class_ids[seen], found[seen], crowd[seen]
            empty += not len(class_ids)
            per_image[index] = (~crowd).sum()
            areas.append(found[~crowd])
            counts[0, np.unique(class_ids)] += 1
            for row, chosen in ((1, class_ids[~crowd]), (2, class_ids[crowd])):
                counts[row] += np.bincount(chosen, minlength=counts.shape[1])
            advance()
    every_area = np.concatenate(areas)
    small = int((every_area < MEDIUM).sum())
    large = int((every_area >= LARGE).sum())
    return Statistics(
        images=total,
        unannotated=empty,
        classes=tuple(
            ClassCount(name, *counts[:, number].tolist())
            for number, name in enumerate(dataset.class_names, start=1)
        ),
        heights=Spread.of(sizes[:, 0]),
        widths=Spread.of(sizes[:, 1]),
        per_image=Spread.of(per_image),
        small=small,
        medium=len(every_area) - small - large,
        large=large,
        invisible=invisible,
        problems=tuple(problems),
    )
