"""Where the files of the Data Science Bowl 2018 come from: Kaggle's zip, or its folder."""

import hashlib
import os
import threading
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mrcnn_al.errors import UserError

TOP_FOLDER = "stage1_train"


class Sample(NamedTuple):
    """The files of one image, as `Source.read` takes them."""

    image: str
    masks: tuple[str, ...]


class Source(ABC):
    """Named files below `stage1_train`, read from several threads at once if need be.

    Attributes:
        path: what the user gave.
        files: name (`<id>/images/<id>.png`, ...) to what betrays a changed file: size and
            checksum in a zip, size and time of change in a folder.
    """

    path: Path
    files: dict[str, tuple[int, int]]

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            UserError: it cannot be read; it is named.
        """

    def fingerprint(self) -> str:
        """Changes with the name, size or content of any file, without reading them."""
        digest = hashlib.sha256()
        for name, state in sorted(self.files.items()):
            digest.update(f"{name}\0{state}\n".encode())
        return digest.hexdigest()

    def samples(self) -> tuple[dict[str, Sample], dict[str, str]]:
        """Groups the files by image.

        Returns:
            The complete ones by image id, and what is wrong with each of the others.

        Raises:
            UserError: there is no image or no mask at all.
        """
        images: dict[str, list[str]] = {}
        masks: dict[str, list[str]] = {}
        groups = {"images": images, "masks": masks}
        for name in sorted(self.files):
            parts = PurePosixPath(name).parts
            if len(parts) == 3 and parts[1] in groups and _is_png(parts[2]):
                groups[parts[1]].setdefault(parts[0], []).append(name)
        for kind, group in groups.items():
            if not group:
                raise UserError(
                    f"{self.path} has no {kind}: expected Kaggle's stage1_train with files like "
                    f"<id>/{kind}/<name>.png, as a zip or as a folder."
                )
        samples, problems = {}, {}
        for image_id in sorted(images.keys() | masks.keys()):
            found = images.get(image_id, [])
            if len(found) != 1:
                problems[image_id] = f"{image_id} has {len(found)} images in place of one"
            elif image_id not in masks:
                problems[image_id] = f"{image_id} has no masks"
            else:
                samples[image_id] = Sample(found[0], tuple(masks[image_id]))
        return samples, problems


class ZipSource(Source):
    """Reads from the archive without unpacking it."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise UserError(
                f"{path} is not a whole zip archive ({error}). "
                "Pass Kaggle's stage1_train.zip or its extracted folder, or download it again."
            ) from error
        self._lock = threading.Lock()
        members = {info.filename: info for info in self._archive.infolist() if not info.is_dir()}
        for name in members:
            if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
                self._archive.close()
                raise UserError(f"{path} is refused: its member {name!r} leaves the archive.")
        top = f"{TOP_FOLDER}/"
        if any(name.startswith(top) for name in members):
            members = {
                name.removeprefix(top): info
                for name, info in members.items()
                if name.startswith(top)
            }
        self._members = members
        self.files = {name: (info.file_size, info.CRC) for name, info in members.items()}

    def read(self, name: str) -> bytes:
        try:
            with self._lock:
                return self._archive.read(self._members[name])
        except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError) as error:
            raise UserError(f"{name} in {self.path} cannot be read: {error}") from error


class FolderSource(Source):
    """Reads from the extracted archive."""

    def __init__(self, path: Path):
        self.path = path
        self._root = path / TOP_FOLDER if (path / TOP_FOLDER).is_dir() else path
        try:
            self.files = dict(self._scan())
        except OSError as error:
            raise UserError(f"The folder {path} cannot be listed: {error}") from error

    def _scan(self) -> Iterator[tuple[str, tuple[int, int]]]:
        for image_id in sorted(os.listdir(self._root)):
            for kind in ("images", "masks"):
                folder = self._root / image_id / kind
                if not folder.is_dir():
                    continue
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.is_file():
                            state = entry.stat()
                            name = f"{image_id}/{kind}/{entry.name}"
                            yield name, (state.st_size, state.st_mtime_ns)

    def read(self, name: str) -> bytes:
        try:
            return (self._root / name).read_bytes()
        except OSError as error:
            raise UserError(f"{self._root / name} cannot be read: {error}") from error


def open_source(path: str | os.PathLike) -> Source:
    """The zip or the folder at `path`.

    Raises:
        UserError: nothing is there, it is not a zip, or the zip has members that climb out of it.
    """
    path = Path(path)
    if path.is_dir():
        return FolderSource(path)
    if path.exists():
        return ZipSource(path)
    raise UserError(
        f"{path} does not exist. Pass Kaggle's stage1_train.zip or its extracted folder."
    )


def _is_png(name: str) -> bool:
    # macOS leaves "._name.png" beside the files of archives it packs.
    return name.lower().endswith(".png") and not name.startswith(".")
