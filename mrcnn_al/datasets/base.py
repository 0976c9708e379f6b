"""What an annotated image set is to the rest of the system."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mrcnn_al.instances import Instances

LoadImage = Callable[[str], np.ndarray]
Load = Callable[[str], tuple[np.ndarray, Instances]]

_LISTED = 10


class Annotations(NamedTuple):
    """What is known of the N instances of an image without their masks.

    Attributes:
        class_ids: int32 [N], from 1.
        areas: int64 [N], pixels inside each mask.
        crowd: bool [N], COCO's iscrowd.
    """

    class_ids: np.ndarray
    areas: np.ndarray
    crowd: np.ndarray


class Labels(NamedTuple):
    """What is shown in which of the images of a dataset, grouped by image.

    Attributes:
        images: int64 [A], positions in `image_ids`, ascending.
        class_ids: int64 [A], from 1.
        crowd: bool [A], COCO's iscrowd.
    """

    images: np.ndarray
    class_ids: np.ndarray
    crowd: np.ndarray


class Dataset(ABC):
    """Images with instances, read when asked for.

    Attributes:
        class_names: of classes 1, 2, ...; the background has no name here.
        category_ids: what the source calls classes 1, 2, ... (COCO's category ids).
        image_ids: unique strings, in the order of the source made canonical by sorting.
        skipped: what was wrong with each thing that was left out.
        source: where it was read from, for people.
    """

    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    image_ids: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    source: str = ""

    @abstractmethod
    def size(self, image_id: str) -> tuple[int, int]:
        """Height and width in pixels, without decoding the image."""

    @abstractmethod
    def load_image(self, image_id: str) -> np.ndarray:
        """RGB, uint8 [H, W, 3].

        Raises:
            UserError: the file is missing, broken or of another size than announced; it is named.
        """

    @abstractmethod
    def load_instances(self, image_id: str) -> Instances:
        """The ground truth of one image."""

    @abstractmethod
    def instance_count(self, image_id: str) -> int:
        """How many instances an image has, without decoding masks."""

    def annotations(self, image_id: str) -> Annotations:
        """Classes and areas of the instances of an image, where possible without masks."""
        instances = self.load_instances(image_id)
        return Annotations(instances.class_ids, instances.areas(), instances.crowd)

    def labels(self) -> Labels:
        """The classes of all instances of all images, where possible without masks."""
        found = [self.annotations(image_id) for image_id in self.image_ids]
        counts = [len(annotations.class_ids) for annotations in found]
        return Labels(
            np.repeat(np.arange(len(found)), counts),
            np.concatenate([np.zeros(0, np.int64), *(a.class_ids for a in found)]),
            np.concatenate([np.zeros(0, bool), *(a.crowd for a in found)]),
        )

    # Where opening has decoded the images already there is nothing left to look at.
    def check_image(self, image_id: str) -> None:  # noqa: B027
        """Looks whether an image file can be used, where it can be helped without decoding it.

        Raises:
            UserError: the file is missing, no image, cut off, or of another size than announced.
        """


@dataclass(frozen=True)
class Subset:
    """A dataset and what each of its images is used for.

    Attributes:
        name: as the user names it (`dsb`, `toy`, ...).
        dataset: holds all the images named below.
        train: the pool, labelled images included.
        labelled: those of `train` that are labelled at the start.
        validation: image ids.
        test: image ids.
    """

    name: str
    dataset: Dataset
    train: tuple[str, ...]
    labelled: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def summary(self) -> str:
        """What was found and how many images are used for what, for people."""
        names = self.dataset.class_names
        listed = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
        return (
            (f"{self.dataset.source}\n" if self.dataset.source else "")
            + f"{self.name}: {len(names)} class{'es' * (len(names) > 1)} ({listed})\n"
            f"{self.name}: {len(self.train)} images to train on, {len(self.validation)} for "
            f"validation, {len(self.test)} for the test; {len(self.labelled)} labelled at the start"
        )
