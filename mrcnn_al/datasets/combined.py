"""Several datasets as one."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mrcnn_al.datasets.base import Annotations, Dataset, Labels
from mrcnn_al.datasets.shown import shown
from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances


class CombinedDataset(Dataset):
    """Datasets with the same categories, such as COCO's train2017 and val2017.

    Image ids are those of the parts with the part's name before: `train-25`, `val-139`, whether
    or not the parts share ids. Classes are numbered by the category ids of all parts together.

    Args:
        parts: by name; their order is that of the images.

    Raises:
        UserError: two parts call the same category id by different names.
    """

    def __init__(self, parts: Mapping[str, Dataset]):
        self._parts = dict(parts)
        names = self._categories()
        self.category_ids = tuple(sorted(names))
        self.class_names = tuple(names[category] for category in self.category_ids)
        class_ids = {category: index for index, category in enumerate(self.category_ids, start=1)}
        self._class_ids = {
            name: np.array([0, *(class_ids[category] for category in part.category_ids)], np.int32)
            for name, part in self._parts.items()
        }
        self.image_ids = tuple(image_id for name in self._parts for image_id in self.of_part(name))
        self.skipped = tuple(
            f"{name}: {problem}" for name, part in self._parts.items() for problem in part.skipped
        )
        self.source = "; ".join(part.source for part in self._parts.values())

    def of_part(self, name: str) -> tuple[str, ...]:
        """The ids of the images that came from a part."""
        return tuple(f"{name}-{image_id}" for image_id in self._parts[name].image_ids)

    def size(self, image_id: str) -> tuple[int, int]:
        part, own_id = self._find(image_id)
        return self._parts[part].size(own_id)

    def load_image(self, image_id: str) -> np.ndarray:
        part, own_id = self._find(image_id)
        return self._parts[part].load_image(own_id)

    def load_instances(self, image_id: str) -> Instances:
        part, own_id = self._find(image_id)
        instances = self._parts[part].load_instances(own_id)
        return replace(instances, class_ids=self._class_ids[part][instances.class_ids])

    def instance_count(self, image_id: str) -> int:
        part, own_id = self._find(image_id)
        return self._parts[part].instance_count(own_id)

    def annotations(self, image_id: str) -> Annotations:
        part, own_id = self._find(image_id)
        found = self._parts[part].annotations(own_id)
        return found._replace(class_ids=self._class_ids[part][found.class_ids])

    def labels(self) -> Labels:
        found, before = [], 0
        for name, part in self._parts.items():
            images, class_ids, crowd = part.labels()
            found.append((images + before, self._class_ids[name][class_ids], crowd))
            before += len(part.image_ids)
        return Labels(*map(np.concatenate, zip(*found, strict=True)))

    def check_image(self, image_id: str) -> None:
        part, own_id = self._find(image_id)
        self._parts[part].check_image(own_id)

    def _find(self, image_id: str) -> tuple[str, str]:
        part, _, own_id = image_id.partition("-")
        return part, own_id

    def _categories(self) -> dict[int, str]:
        names: dict[int, str] = {}
        for part in self._parts.values():
            for category, name in zip(part.category_ids, part.class_names, strict=True):
                if names.setdefault(category, name) != name:
                    sources = "; ".join(part.source for part in self._parts.values())
                    raise UserError(
                        f"The category {category} is {shown(names[category])} in one file and "
                        f"{shown(name)} in another. Use the same in all of {sources}."
                    )
        return names
