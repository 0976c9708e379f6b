"""The instances of one image, the value that flows through the whole system."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Instances:
    """Instances of one image; each mask is stored inside its own tight box.

    A nucleus of 20 x 20 pixels in an image of 1024 x 1024 costs 400 bytes here, not a
    megabyte. Boxes are those of the masks unless the maker gave others (detections).

    Attributes:
        height: of the image, pixels.
        width: of the image, pixels.
        class_ids: int32 [N], from 1; 0 is background and never occurs.
        boxes: int32 [N, 4], pixels (y1, x1, y2, x2), y2 and x2 outside the box.
        masks: N bool arrays, masks[i] of shape [y2 - y1, x2 - x1] of boxes[i].
        scores: float32 [N] for detections, None for ground truth.
        crowd: bool [N], COCO's iscrowd.
    """

    height: int
    width: int
    class_ids: np.ndarray
    boxes: np.ndarray
    masks: tuple[np.ndarray, ...]
    scores: np.ndarray | None = None
    crowd: np.ndarray | None = None

    def __post_init__(self):
        count = len(self.masks)
        crowd = np.zeros(count, bool) if self.crowd is None else self.crowd
        canonical = {
            "class_ids": np.asarray(self.class_ids, np.int32).reshape(count),
            "boxes": np.asarray(self.boxes, np.int32).reshape(count, 4),
            "masks": tuple(self.masks),
            "crowd": np.asarray(crowd, bool).reshape(count),
        }
        if self.scores is not None:
            canonical["scores"] = np.asarray(self.scores, np.float32).reshape(count)
        for name, value in canonical.items():
            object.__setattr__(self, name, value)
        for box, mask in zip(self.boxes, self.masks, strict=True):
            y1, x1, y2, x2 = box
            if not (0 <= y1 <= y2 <= self.height and 0 <= x1 <= x2 <= self.width):
                raise ValueError(
                    f"Box {box.tolist()} lies outside the image of {self.height} x {self.width}."
                )
            if mask.shape != (y2 - y1, x2 - x1):
                raise ValueError(f"Mask of shape {mask.shape} in a box of {box.tolist()}.")

    def __len__(self) -> int:
        return len(self.masks)

    @classmethod
    def empty(cls, height: int, width: int, scored: bool = False) -> "Instances":
        """No instance in an image of that size; `scored` as detections have it."""
        scores = np.zeros(0, np.float32) if scored else None
        return cls(height, width, np.zeros(0), np.zeros((0, 4)), (), scores)

    @classmethod
    def from_dense(
        cls,
        masks: np.ndarray,
        class_ids: Sequence[int] | np.ndarray,
        scores: np.ndarray | None = None,
        crowd: np.ndarray | None = None,
    ) -> "Instances":
        """From full-size masks; those without a pixel are left out.

        Args:
            masks: [H, W, N], anything that is true inside.
            class_ids: [N].
            scores: [N] or None.
            crowd: [N] or None.
        """
        height, width, count = masks.shape
        planes = (masks[:, :, index] for index in range(count))
        return cls._from_planes(planes, class_ids, height, width, scores, crowd)

    @classmethod
    def from_rles(
        cls,
        rles: Sequence[dict],
        class_ids: Sequence[int] | np.ndarray,
        height: int,
        width: int,
        scores: np.ndarray | None = None,
        crowd: np.ndarray | None = None,
    ) -> "Instances":
        """From COCO's compressed run-length encodings, each of size [height, width]."""
        from pycocotools import mask as coco_mask

        planes = (coco_mask.decode(rle) for rle in rles)
        return cls._from_planes(planes, class_ids, height, width, scores, crowd)

    @classmethod
    def _from_planes(cls, planes, class_ids, height, width, scores, crowd) -> "Instances":
        boxes, windows, kept = [], [], []
        for index, plane in enumerate(planes):
            mask = plane.astype(bool)
            if mask.shape != (height, width):
                raise ValueError(f"A mask of {mask.shape} in an image of {height} x {width}.")
            box = tight_box(mask)
            if box is not None:
                boxes.append(box)
                windows.append(mask[box[0] : box[2], box[1] : box[3]].copy())
                kept.append(index)

        def pick(values):
            return None if values is None else np.asarray(values)[np.asarray(kept, int)]

        return cls(height, width, pick(class_ids), boxes, tuple(windows), pick(scores), pick(crowd))

    def dense(self) -> np.ndarray:
        """The masks at full size, bool [H, W, N]."""
        result = np.zeros((self.height, self.width, len(self)), bool)
        for index, ((y1, x1, y2, x2), mask) in enumerate(zip(self.boxes, self.masks, strict=True)):
            result[y1:y2, x1:x2, index] = mask
        return result

    def rles(self) -> list[dict]:
        """COCO's compressed run-length encodings, `counts` as str (ready for JSON)."""
        from pycocotools import mask as coco_mask

        result = []
        for (y1, x1, y2, x2), mask in zip(self.boxes, self.masks, strict=True):
            canvas = np.zeros((self.height, self.width), np.uint8, order="F")
            canvas[y1:y2, x1:x2] = mask
            rle = coco_mask.encode(canvas)
            result.append({"size": [self.height, self.width], "counts": rle["counts"].decode()})
        return result

    def areas(self) -> np.ndarray:
        """Pixels inside each mask, int64 [N]."""
        return np.array([np.count_nonzero(mask) for mask in self.masks], np.int64)

    @property
    def visible(self) -> bool:
        """Whether any mask has a pixel."""
        return any(mask.any() for mask in self.masks)

    def select(self, index: np.ndarray | Sequence[int]) -> "Instances":
        """The instances of an integer or boolean index, in its order."""
        index = np.arange(len(self))[np.asarray(index, dtype=None if len(index) else int)]
        return replace(
            self,
            class_ids=self.class_ids[index],
            boxes=self.boxes[index],
            masks=tuple(self.masks[i] for i in index),
            scores=None if self.scores is None else self.scores[index],
            crowd=self.crowd[index],
        )


def tight_box(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    """The smallest (y1, x1, y2, x2) around the true pixels of a 2-D mask; None without any."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
