"""The annotations of a whole dataset in a few flat arrays."""

from array import array
from typing import NamedTuple

import numpy as np

from mrcnn_al.datasets.coco_segmentation import Segmentation, compressed_rle


class Annotation(NamedTuple):
    """One annotation; `segmentation` as `coco_segmentation.parse_segmentation` returns it."""

    class_id: int
    crowd: bool
    segmentation: Segmentation


class AnnotationTable:
    """Annotations by image, in the order in which they came.

    COCO has 860,000 of them. As Python objects they would take a kilobyte each before their
    coordinates; here it is 33 bytes.

    Args:
        image_count: images are numbered from 0 to one less.

    Attributes:
        image_count: as given.
    """

    def __init__(self, image_count: int):
        self.image_count = image_count
        self._images = array("q")
        self._class_ids = array("q")
        self._flags = bytearray()
        # Of polygons: which of them, counted over all annotations. Of the others: which bytes.
        self._begins = array("q")
        self._ends = array("q")
        self._coordinates = array("d")
        self._polygon_ends = array("q", [0])
        self._counts = bytearray()
        self._order = np.zeros(0, np.int64)
        self._first = np.zeros(image_count + 1, np.int64)

    def add(self, image: int, annotation: Annotation, height: int, width: int) -> None:
        """Adds an annotation to image number `image`, which has `height` x `width` pixels."""
        segmentation = annotation.segmentation
        is_rle = isinstance(segmentation, dict)
        if is_rle:
            counts = compressed_rle(segmentation, height, width)["counts"]
            begin = len(self._counts)
            self._counts += counts.encode() if isinstance(counts, str) else counts
            end = len(self._counts)
        else:
            begin = len(self._polygon_ends) - 1
            for polygon in segmentation:
                self._coordinates.frombytes(polygon.tobytes())
                self._polygon_ends.append(len(self._coordinates))
            end = len(self._polygon_ends) - 1
        self._images.append(image)
        self._class_ids.append(annotation.class_id)
        self._flags.append(is_rle + 2 * annotation.crowd)
        self._begins.append(begin)
        self._ends.append(end)

    def finish(self) -> None:
        """Groups the annotations by image; none may be added any more."""
        images = np.frombuffer(self._images, np.int64) if self._images else np.zeros(0, np.int64)
        self._order = np.argsort(images, kind="stable")
        self._first[1:] = np.cumsum(np.bincount(images, minlength=self.image_count))
        self._images = array("q")

    def count(self, image: int) -> int:
        """How many annotations an image has."""
        return int(self._first[image + 1] - self._first[image])

    def labels(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Image, class and crowd of each annotation, int64, int64 and bool, by image."""
        images = np.repeat(np.arange(self.image_count), np.diff(self._first))
        class_ids = np.array(self._class_ids, np.int64)[self._order]
        crowd = np.frombuffer(bytes(self._flags), np.uint8)[self._order] & 2
        return images, class_ids, crowd > 0

    def of_image(self, image: int, height: int, width: int) -> list[Annotation]:
        """The annotations of an image of `height` x `width` pixels."""
        positions = self._order[self._first[image] : self._first[image + 1]].tolist()
        return [self._annotation(position, [height, width]) for position in positions]

    def _annotation(self, position: int, size: list[int]) -> Annotation:
        begin, end = self._begins[position], self._ends[position]
        flags = self._flags[position]
        if flags & 1:
            segmentation = {"size": size, "counts": bytes(self._counts[begin:end])}
        else:
            bounds = self._polygon_ends[begin : end + 1]
            segmentation = [
                np.array(self._coordinates[bounds[index] : bounds[index + 1]])
                for index in range(len(bounds) - 1)
            ]
        return Annotation(self._class_ids[position], bool(flags & 2), segmentation)
