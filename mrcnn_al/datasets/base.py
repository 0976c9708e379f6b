"""What an annotated image set is to the rest of the system."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from mrcnn_al.instances import Instances


class Dataset(ABC):
    """Images with instances, read when asked for.

    Attributes:
        class_names: of classes 1, 2, ...; the background has no name here.
        category_ids: what the source calls classes 1, 2, ... (COCO's category ids).
        image_ids: unique strings, in the order of the source made canonical by sorting.
    """

    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    image_ids: tuple[str, ...]

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
