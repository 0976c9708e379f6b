"""A dataset seen through some of its classes."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from mrcnn_al.datasets.base import Annotations, Dataset, Labels
from mrcnn_al.errors import UserError, nearest
from mrcnn_al.instances import Instances


class ClassView(Dataset):
    """Some classes of a dataset, as if nobody had annotated the others.

    Classes are numbered 1, 2, ... in the order in which they are named here. Crowds of these
    classes stay crowds.

    Args:
        dataset: the images and their annotations.
        class_names: of the classes to keep.
        image_ids: of the images to keep; None for those that show at least one instance of
            these classes other than a crowd.

    Raises:
        UserError: the dataset has no class of that name.
    """

    def __init__(
        self,
        dataset: Dataset,
        class_names: Sequence[str],
        image_ids: Iterable[str] | None = None,
    ):
        for name in class_names:
            if name not in dataset.class_names:
                raise UserError(
                    f"There is no class {name!r} in {dataset.source}. "
                    f"{nearest(name, dataset.class_names)}"
                )
        self._dataset = dataset
        self.class_names = tuple(class_names)
        chosen = [dataset.class_names.index(name) for name in class_names]
        self.category_ids = tuple(dataset.category_ids[index] for index in chosen)
        # Of each class of the dataset the number here; 0 of those that are dropped.
        self._numbers = np.zeros(len(dataset.class_names) + 1, np.int32)
        self._numbers[np.array(chosen) + 1] = np.arange(1, len(chosen) + 1)
        self.skipped = dataset.skipped
        self.source = dataset.source
        images, class_ids, crowd = dataset.labels()
        class_ids = self._numbers[class_ids]
        if image_ids is None:
            kept = np.zeros(len(dataset.image_ids), bool)
            kept[images[(class_ids > 0) & ~crowd]] = True
        else:
            wanted = set(image_ids)
            kept = np.array([image_id in wanted for image_id in dataset.image_ids], bool)
        self.image_ids = tuple(dataset.image_ids[index] for index in np.flatnonzero(kept))
        here = (class_ids > 0) & kept[images]
        positions = np.cumsum(kept) - 1
        self._labels = Labels(positions[images[here]], class_ids[here], crowd[here])
        counts = np.bincount(self._labels.images, minlength=len(self.image_ids))
        self._counts = dict(zip(self.image_ids, counts.tolist(), strict=True))

    def labels(self) -> Labels:
        return self._labels

    def presence(self) -> np.ndarray:
        """Whether an image shows a class, as an instance or a crowd: bool [images, classes]."""
        result = np.zeros((len(self.image_ids), len(self.class_names)), bool)
        result[self._labels.images, self._labels.class_ids - 1] = True
        return result

    def size(self, image_id: str) -> tuple[int, int]:
        return self._dataset.size(image_id)

    def load_image(self, image_id: str) -> np.ndarray:
        return self._dataset.load_image(image_id)

    def load_instances(self, image_id: str) -> Instances:
        instances = self._dataset.load_instances(image_id)
        numbers = self._numbers[instances.class_ids]
        chosen = instances.select(np.flatnonzero(numbers))
        return replace(chosen, class_ids=numbers[numbers > 0])

    def instance_count(self, image_id: str) -> int:
        return self._counts[image_id]

    def annotations(self, image_id: str) -> Annotations:
        found = self._dataset.annotations(image_id)
        numbers = self._numbers[found.class_ids]
        chosen = numbers > 0
        return Annotations(numbers[chosen], found.areas[chosen], found.crowd[chosen])

    def check_image(self, image_id: str) -> None:
        self._dataset.check_image(image_id)
