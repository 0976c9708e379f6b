"""COCO annotations as they come to a table, with what is wrong with each that is left out."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mrcnn_al.datasets.annotation_table import AnnotationTable
from mrcnn_al.datasets.coco_segmentation import (
    FEWEST_NUMBERS,
    Segmentation,
    check_outlines,
    compressed_rle,
    other_size,
    parse_segmentation,
)
from mrcnn_al.datasets.outlines import Outlines
from mrcnn_al.datasets.ragged import gathered, offsets
from mrcnn_al.datasets.shown import shown

UNLISTED = -1
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


class ListedImage(NamedTuple):
    """An entry of a COCO file's `images`; `number` is its position there."""

    number: int
    file_name: str
    height: int
    width: int


class Problem(NamedTuple):
    """Why an annotation cannot be used, and of which image it is (`UNLISTED` if of none)."""

    image: int
    text: str


class AnnotationReader:
    """Takes annotations before images and categories are known, which may come later in a file.

    What is as it should be goes into flat arrays at once. What is not is kept as it is until it
    can be said what is wrong with it.
    """

    def __init__(self):
        self._ids: list = []
        self._positions = array("q")
        self._image_ids = array("q")
        self._category_ids = array("q")
        self._crowd = bytearray()
        self._polygons = array("q")
        self._corners = array("q")
        self._coordinates = array("d")
        self._runs = array("q")
        self._counts = bytearray()
        # Of each run-length encoding its row, height and width.
        self._encoded = array("q")
        self._odd: list[tuple[int, dict]] = []
        self._taken = 0

    def add(self, entries: Sequence[dict]) -> None:
        """Takes the next entries of `annotations`."""
        for position, entry in enumerate(entries, self._taken):
            if not self._pack(position, entry):
                self._odd.append((position, entry))
        self._taken += len(entries)

    def finish(
        self, images: Mapping[int, ListedImage], class_ids: Mapping[int, int]
    ) -> tuple[AnnotationTable, list[Problem]]:
        """Looks up images and classes. To be called once, after all annotations.

        Args:
            images: by id, in the order of their numbers, which begin at 0.
            class_ids: by category id, from 1.

        Returns:
            The annotations that can be used, and in the order of the file what is wrong with
            the others.
        """
        problems: list[tuple[int, Problem]] = []
        looked_up = []
        for position, entry in self._odd:
            try:
                looked_up.append(self._pack_odd(position, entry, images, class_ids))
            except _Unusable as error:
                problems.append((position, error.problem))
        listed = list(images.values())
        numbers = _looked_up(self._image_ids, {i: image.number for i, image in images.items()})
        classes = _looked_up(self._category_ids, class_ids)
        for row, number, class_id in looked_up:
            numbers[row], classes[row] = number, class_id
        outlines = Outlines(
            _flat(self._coordinates, np.float64),
            _flat(self._corners, np.int64),
            _flat(self._polygons, np.int64),
        )
        misfits = dict(self._misfits(numbers, listed))
        usable = (numbers >= 0) & (classes >= 0) & ~outlines.suspicious()
        usable[list(misfits)] = False
        for row in np.flatnonzero(~usable).tolist():
            try:
                if numbers[row] < 0:
                    raise ValueError(_unlisted(self._image_ids[row]))
                if classes[row] < 0:
                    raise ValueError(_unknown(self._category_ids[row]))
                if row in misfits:
                    raise misfits[row]
                check_outlines(outlines.of(row))
                usable[row] = True
            except ValueError as error:
                problem = Problem(int(numbers[row]), _named(self._ids[row], error))
                problems.append((self._positions[row], problem))
        problems.sort(key=lambda item: item[0])
        table = self._table(numbers, classes, usable, outlines, len(listed))
        return table, [problem for _, problem in problems]

    def _pack(self, position: int, entry: dict) -> bool:
        image_id, category = entry.get("image_id"), entry.get("category_id")
        crowd, segmentation = entry.get("iscrowd", 0), entry.get("segmentation")
        if (
            type(image_id) is not int
            or type(category) is not int
            or not _SMALLEST <= image_id <= _LARGEST
            or not _SMALLEST <= category <= _LARGEST
            or not isinstance(crowd, int)
            or crowd not in (0, 1)
        ):
            return False
        polygons, runs = len(self._corners), len(self._counts)
        if type(segmentation) is list:
            if not self._pack_polygons(segmentation):
                return False
        elif type(segmentation) is not dict or not self._pack_encoding(segmentation):
            return False
        name = entry.get("id", f"number {position}")
        self._append(position, name, image_id, category, crowd, polygons, runs)
        return True

    def _pack_polygons(self, polygons: list) -> bool:
        coordinates, corners = self._coordinates, self._corners
        before = len(coordinates), len(corners)
        try:
            for polygon in polygons:
                if type(polygon) is not list or len(polygon) % 2:
                    break
                if len(polygon) < FEWEST_NUMBERS:
                    # Left out, if these are numbers.
                    array("d", polygon)
                    continue
                coordinates.fromlist(polygon)
                corners.append(len(polygon))
            else:
                if len(corners) > before[1]:
                    return True
        except (TypeError, OverflowError):
            pass
        del coordinates[before[0] :], corners[before[1] :]
        return False

    def _pack_encoding(self, segmentation: dict) -> bool:
        size = segmentation.get("size")
        if type(size) is not list or [type(length) for length in size] != [int, int]:
            return False
        height, width = size
        if height < 1 or width < 1:
            return False
        try:
            self._store_encoding(parse_segmentation(segmentation, height, width), height, width)
        except ValueError:
            return False
        return True

    def _pack_odd(
        self,
        position: int,
        entry: dict,
        images: Mapping[int, ListedImage],
        class_ids: Mapping[int, int],
    ) -> tuple[int, int, int]:
        """Row, image number and class."""
        name, image_id = entry.get("id", f"number {position}"), entry.get("image_id")
        image = images.get(image_id) if type(image_id) is int else None
        try:
            if image is None:
                raise ValueError(_unlisted(image_id))
            category, crowd = entry.get("category_id"), entry.get("iscrowd", 0)
            class_id = class_ids.get(category) if type(category) is int else None
            if class_id is None:
                raise ValueError(_unknown(category))
            if not isinstance(crowd, int) or crowd not in (0, 1):
                raise ValueError(f"its iscrowd is {shown(crowd)}, neither 0 nor 1")
            size = image.height, image.width
            segmentation = parse_segmentation(entry.get("segmentation"), *size)
        except ValueError as error:
            number = UNLISTED if image is None else image.number
            raise _Unusable(Problem(number, _named(name, error))) from error
        polygons, runs = len(self._corners), len(self._counts)
        if isinstance(segmentation, dict):
            self._store_encoding(segmentation, *size)
        else:
            for polygon in segmentation:
                self._coordinates.frombytes(polygon.tobytes())
                self._corners.append(len(polygon))
        self._append(position, name, 0, 0, crowd, polygons, runs)
        return len(self._positions) - 1, image.number, class_id

    def _store_encoding(self, segmentation: Segmentation, height: int, width: int) -> None:
        counts = compressed_rle(segmentation, height, width)["counts"]
        self._counts += counts.encode() if isinstance(counts, str) else counts
        self._encoded.extend((len(self._positions), height, width))

    def _append(
        self,
        position: int,
        name: Any,
        image_id: int,
        category: int,
        crowd: int,
        polygons: int,
        runs: int,
    ) -> None:
        self._positions.append(position)
        self._ids.append(name)
        self._image_ids.append(image_id)
        self._category_ids.append(category)
        self._crowd.append(crowd)
        self._polygons.append(len(self._corners) - polygons)
        self._runs.append(len(self._counts) - runs)

    def _misfits(
        self, numbers: np.ndarray, images: Sequence[ListedImage]
    ) -> Iterator[tuple[int, ValueError]]:
        """Rows of encodings of another size than their image."""
        for index in range(0, len(self._encoded), 3):
            row, height, width = self._encoded[index : index + 3]
            image = images[numbers[row]] if numbers[row] >= 0 else None
            if image and (height, width) != (image.height, image.width):
                yield row, other_size([height, width], image.height, image.width)

    def _table(
        self,
        numbers: np.ndarray,
        classes: np.ndarray,
        usable: np.ndarray,
        outlines: Outlines,
        image_count: int,
    ) -> AnnotationTable:
        rows = np.flatnonzero(usable)
        rows = rows[np.lexsort((_flat(self._positions, np.int64)[rows], numbers[rows]))]
        coordinates, lengths, polygons = outlines.select(rows)
        runs = _flat(self._runs, np.int64)
        counts = gathered(_flat(self._counts, np.uint8), offsets(runs)[rows], runs[rows])
        return AnnotationTable(
            first=offsets(np.bincount(numbers[rows], minlength=image_count)),
            class_ids=classes[rows].astype(np.int32),
            crowd=_flat(self._crowd, np.uint8)[rows] > 0,
            polygons=offsets(polygons),
            corners=offsets(lengths),
            coordinates=coordinates,
            runs=offsets(runs[rows]),
            counts=counts,
        )


class _Unusable(Exception):
    def __init__(self, problem: Problem):
        super().__init__(problem.text)
        self.problem = problem


def _named(name: Any, error: ValueError) -> str:
    return f"annotation {shown(name)}: {error}"


def _unlisted(image_id: Any) -> str:
    return f"it is of image {shown(image_id)}, which is not listed"


def _unknown(category: Any) -> str:
    return f"there is no category {shown(category)}"


def _flat(values: array | bytearray, dtype: type) -> np.ndarray:
    # NumPy makes no array of an empty buffer.
    return np.frombuffer(values, dtype) if values else np.zeros(0, dtype)


def _looked_up(keys: array, values: Mapping[int, int]) -> np.ndarray:
    """The values of all keys, int64, and -1 for those that have none."""
    known = sorted(item for item in values.items() if _SMALLEST <= item[0] <= _LARGEST)
    wanted = _flat(keys, np.int64)
    if not known:
        return np.full(len(wanted), -1, np.int64)
    ordered, found = np.array(known, np.int64).T
    places = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.where(ordered[places] == wanted, found[places], -1)
