"""The annotations of a whole dataset in a few flat arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from mrcnn_al.datasets.coco_segmentation import Segmentation


class Annotation(NamedTuple):
    """One annotation; `segmentation` as `coco_segmentation.parse_segmentation` returns it."""

    class_id: int
    crowd: bool
    segmentation: Segmentation


@dataclass(frozen=True)
class AnnotationTable:
    """A annotations of M images, by image, those of an image in the order of the file.

    COCO has 860,000 of them. As Python objects they would take a kilobyte each before their
    coordinates; here it is 40 bytes. An annotation without polygons is a run-length encoding.

    Attributes:
        first: int64 [M + 1]; the annotations of image m are first[m] to first[m + 1].
        class_ids: int32 [A], from 1.
        crowd: bool [A], COCO's iscrowd.
        polygons: int64 [A + 1]; the polygons of annotation a are polygons[a] to polygons[a + 1].
        corners: int64 [P + 1]; polygon p is coordinates[corners[p]:corners[p + 1]].
        coordinates: float64, x and y in turn, pixels.
        runs: int64 [A + 1]; the encoding of annotation a is counts[runs[a]:runs[a + 1]].
        counts: uint8, compressed run-length encodings as pycocotools has them.
    """

    first: np.ndarray
    class_ids: np.ndarray
    crowd: np.ndarray
    polygons: np.ndarray
    corners: np.ndarray
    coordinates: np.ndarray
    runs: np.ndarray
    counts: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "AnnotationTable":
        """The contrary of `arrays`.

        Raises:
            ValueError: these are not the arrays of a table.
        """
        if set(arrays) != {field.name for field in fields(cls)}:
            raise ValueError("not the arrays of a table")
        table = cls(**arrays)
        table._check()
        return table

    def arrays(self) -> dict[str, np.ndarray]:
        """The attributes by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def image_count(self) -> int:
        """How many images there are, those without annotations included."""
        return len(self.first) - 1

    def count(self, image: int) -> int:
        """How many annotations an image has."""
        return int(self.first[image + 1] - self.first[image])

    def labels(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Image, class and crowd of each annotation, int64, int32 and bool, by image."""
        images = np.repeat(np.arange(self.image_count), np.diff(self.first))
        return images, self.class_ids, self.crowd

    def of_image(self, image: int, height: int, width: int) -> list[Annotation]:
        """The annotations of an image of `height` x `width` pixels."""
        begin, end = self.first[image : image + 2].tolist()
        columns = (
            values.tolist()
            for values in (
                self.class_ids[begin:end],
                self.crowd[begin:end],
                self.polygons[begin:end],
                self.polygons[begin + 1 : end + 1],
                self.runs[begin:end],
                self.runs[begin + 1 : end + 1],
            )
        )
        return [
            Annotation(
                class_id,
                crowd,
                self._outlines(first, last)
                if first < last
                else {"size": [height, width], "counts": self.counts[start:stop].tobytes()},
            )
            for class_id, crowd, first, last, start, stop in zip(*columns, strict=True)
        ]

    def _outlines(self, first: int, last: int) -> list[np.ndarray]:
        bounds = self.corners[first : last + 1].tolist()
        return [self.coordinates[bounds[i] : bounds[i + 1]] for i in range(len(bounds) - 1)]

    def _check(self) -> None:
        count = len(self.class_ids)
        kinds = [values.dtype.str for values in self.arrays().values()]
        if kinds != ["<i8", "<i4", "|b1", "<i8", "<i8", "<f8", "<i8", "|u1"]:
            raise ValueError(f"arrays of {kinds}")
        _check_offsets(self.first, None, count)
        _check_offsets(self.polygons, count, len(self.corners) - 1)
        _check_offsets(self.corners, None, len(self.coordinates))
        _check_offsets(self.runs, count, len(self.counts))
        if self.crowd.shape != (count,):
            raise ValueError("columns of different lengths")


def _check_offsets(offsets: np.ndarray, parts: int | None, total: int) -> None:
    if (
        offsets.ndim != 1
        or len(offsets) != (len(offsets) if parts is None else parts + 1)
        or not len(offsets)
        or offsets[0] != 0
        or offsets[-1] != total
        or (np.diff(offsets) < 0).any()
    ):
        raise ValueError("offsets that lead nowhere")
