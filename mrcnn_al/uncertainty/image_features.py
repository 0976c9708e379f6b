"""What the backbone makes of each image, for strategies that look for diversity."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """One vector for each image of the pool, labelled or not.

    Attributes:
        image_ids: N of them.
        values: float32 [N, F].
    """

    image_ids: tuple[str, ...]
    values: np.ndarray

    def __post_init__(self):
        if self.values.ndim != 2 or len(self.values) != len(self.image_ids):
            raise ValueError(f"{self.values.shape} features of {len(self.image_ids)} images.")

    @cached_property
    def _index(self):
        return {image_id: index for index, image_id in enumerate(self.image_ids)}

    def of(self, image_ids: Sequence[str]) -> np.ndarray:
        """A copy of the features of some images, in their order.

        Raises:
            ValueError: an image has no features.
        """
        try:
            index = [self._index[image_id] for image_id in image_ids]
        except KeyError as error:
            raise ValueError(f"Image {error} has no features.") from None
        return self.values[np.array(index, np.int64)]

    def of_others(self, image_ids: Collection[str]) -> np.ndarray:
        """A copy of the features of all images but these."""
        left_out = set(image_ids)
        return self.values[[image_id not in left_out for image_id in self.image_ids]]
