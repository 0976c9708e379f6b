"""What a COCO annotation file says, parsed once and kept for later."""

import contextlib
import gc
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from mrcnn_al.datasets.annotation_reader import AnnotationReader, ListedImage, Problem
from mrcnn_al.datasets.annotation_table import AnnotationTable
from mrcnn_al.datasets.array_file import map_arrays, write_arrays
from mrcnn_al.datasets.coco_categories import class_table
from mrcnn_al.datasets.json_stream import NotStreamable, stream_objects
from mrcnn_al.datasets.shown import shown
from mrcnn_al.errors import UserError
from mrcnn_al.files import read_json, remove_leftovers
from mrcnn_al.progress import progress

VERSION = 1
# Smaller files are parsed about as quickly as an index is opened.
SMALLEST_KEPT = 4 * 2**20
# Longer than a write to an index file can last, as other processes may use the same cache.
IDLE_SECONDS = 3600.0

_SECTIONS = ("images", "annotations", "categories")
_MEGABYTE = 10**6


@dataclass(frozen=True)
class CocoIndex:
    """The content of an annotation file, whether or not there are files for its images.

    Attributes:
        images: by id, in the order of the file.
        categories: names of classes by category id, ascending.
        table: the annotations that can be used, by number of the image.
        problems: what is wrong with the others, in the order of the file.
    """

    images: dict[int, ListedImage]
    categories: dict[int, str]
    table: AnnotationTable
    problems: list[Problem]


def open_index(
    annotation_json: str | os.PathLike, cache_folder: str | os.PathLike | None = None
) -> CocoIndex:
    """Parses an annotation file, or opens what an earlier parsing of the same content left.

    Only what comes from a file with the same SHA-256 is opened. That is a quarter of a second for
    COCO, and unlike size and time of change it cannot be the same for another content.

    Args:
        annotation_json: the file.
        cache_folder: where the index of a large file is kept, one for each file; made if absent.
            None to keep none.

    Raises:
        UserError: the file is missing, broken or inconsistent, or the cache cannot be written.
    """
    path = Path(annotation_json)
    if cache_folder is None or not path.is_file() or path.stat().st_size < SMALLEST_KEPT:
        return _parse(path, None)
    place = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:16]
    kept = Path(cache_folder) / f"coco-{place}.index"
    remove_leftovers(kept.parent, [kept.name], IDLE_SECONDS)
    return _open_kept(path, kept) or _parse(path, kept)


def _open_kept(path: Path, kept: Path) -> CocoIndex | None:
    if not kept.is_file():
        return None
    # The two files are read at the same time, as Python lets go of its lock meanwhile.
    with ThreadPoolExecutor(1) as pool:
        fingerprint = pool.submit(_fingerprint, path)
        found = map_arrays(kept)
        try:
            return None if found is None else _from_file(*found, fingerprint.result())
        except OSError:
            return None


def _parse(path: Path, kept: Path | None) -> CocoIndex:
    try:
        with path.open("rb") as file:
            if kept is None:
                return _streamed(path, file)
            size = os.fstat(file.fileno()).st_size // _MEGABYTE
            with progress(f"reading {path.name}, once", size, "MB") as advance:
                watched = _Watched(file, advance)
                index = _streamed(path, watched)
    # What is wrong is said by the parser of whole files. ValueError: a path that none can have.
    except (OSError, ValueError, NotStreamable):
        return _parse_whole(path)
    fingerprint = watched.digest.hexdigest()
    _save(kept, index, fingerprint)
    # So that later openings use what the first one did, and the parsed arrays can be freed.
    found = map_arrays(kept)
    return index if found is None else _from_file(*found, fingerprint) or index


def _streamed(path: Path, file: BinaryIO) -> CocoIndex:
    """Parses a file without all of it in memory.

    Raises:
        NotStreamable: whatever is wrong with it.
    """
    images: dict[int, ListedImage] = {}
    categories: list[dict] = []
    reader = AnnotationReader()
    try:
        with _without_cycles():
            for name, entries in stream_objects(file, _SECTIONS):
                if name == "images":
                    _add_images(path, images, entries)
                elif name == "categories":
                    categories += entries
                else:
                    reader.add(entries)
        if not images or not categories:
            raise NotStreamable("an empty list")
        names = class_table(categories, lambda message: _error(path, message))
    except UserError as error:
        raise NotStreamable(str(error)) from error
    return _finished(images, names, reader)


@contextlib.contextmanager
def _without_cycles() -> Iterator[None]:
    """For code whose objects do not refer to one another in circles, which Python looks for."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parse_whole(path: Path) -> CocoIndex:
    content = read_json(path, "COCO annotation file")
    entries = _section(path, content, "images")
    annotations = _section(path, content, "annotations")
    categories = _section(path, content, "categories")
    names = class_table(categories, lambda message: _error(path, message))
    images: dict[int, ListedImage] = {}
    _add_images(path, images, entries)
    reader = AnnotationReader()
    reader.add(annotations)
    return _finished(images, names, reader)


def _finished(
    images: dict[int, ListedImage], names: dict[int, str], reader: AnnotationReader
) -> CocoIndex:
    class_ids = {category: index for index, category in enumerate(names, start=1)}
    return CocoIndex(images, names, *reader.finish(images, class_ids))


def _section(path: Path, content: Any, name: str) -> list[dict]:
    section = content.get(name) if isinstance(content, dict) else None
    if not isinstance(section, list) or not all(isinstance(entry, dict) for entry in section):
        raise _error(path, f'has no list "{name}" of objects; is it an instances_*.json?')
    if not section and name != "annotations":
        raise _error(path, f'has an empty list "{name}"')
    return section


def _add_images(path: Path, images: dict[int, ListedImage], entries: list[dict]) -> None:
    for entry in entries:
        for field, kind, wanted in (
            ("id", int, "whole number"),
            ("file_name", str, "text"),
            ("height", int, "whole number"),
            ("width", int, "whole number"),
        ):
            if type(entry.get(field)) is not kind:
                raise _error(path, f'has an image whose "{field}" is no {wanted}: {shown(entry)}')
        image_id, height, width = entry["id"], entry["height"], entry["width"]
        if image_id in images:
            raise _error(path, f"has two images with the id {shown(image_id)}")
        if height < 1 or width < 1:
            raise _error(
                path,
                f"says that image {shown(image_id)} is {shown(height)} x {shown(width)} pixels",
            )
        images[image_id] = ListedImage(len(images), entry["file_name"], height, width)


def _error(path: Path, message: str) -> UserError:
    return UserError(f"The COCO annotation file {path} {message}.")


class _Watched:
    """A file whose content is hashed and counted while it is read."""

    def __init__(self, file: BinaryIO, advance: Callable):
        self._file, self._advance, self._read = file, advance, 0
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self.digest.update(content)
        before = self._read // _MEGABYTE
        self._read += len(content)
        self._advance(self._read // _MEGABYTE - before)
        return content


def _fingerprint(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _save(kept: Path, index: CocoIndex, fingerprint: str) -> None:
    content = {
        "version": VERSION,
        "fingerprint": fingerprint,
        "ids": list(index.images),
        "images": list(zip(*index.images.values(), strict=True)),
        "categories": list(index.categories.items()),
        "problems": index.problems,
    }
    write_arrays(kept, content, index.table.arrays())


def _from_file(
    content: dict[str, Any], arrays: dict[str, np.ndarray], fingerprint: str
) -> CocoIndex | None:
    try:
        if (content["version"], content["fingerprint"]) != (VERSION, fingerprint):
            return None
        images = dict(zip(content["ids"], map(ListedImage, *content["images"]), strict=True))
        table = AnnotationTable.from_arrays(arrays)
        highest = table.class_ids.max(initial=0)
        if table.image_count != len(images) or highest > len(content["categories"]):
            return None
        problems = [Problem(*problem) for problem in content["problems"]]
        return CocoIndex(images, dict(content["categories"]), table, problems)
    # Like a damaged file it is made again.
    except (KeyError, TypeError, ValueError):
        return None
