"""Image files below one folder, by names that nobody vouches for."""

import os
import re
from pathlib import Path, PurePosixPath

from mrcnn_al.datasets.shown import shown

# Nearly all names, which need no closer look.
_HARMLESS = re.compile(r"\w[\w-]*(\.[\w-]+)*(/\w[\w-]*(\.[\w-]+)*)*", re.ASCII)
_DRIVE = re.compile(r"[A-Za-z]:")


class ImageFolder:
    """Says which files a folder holds, and refuses names that lead out of it.

    Each directory is listed once, which for a hundred thousand names is many times quicker than
    asking for one file after the other.

    Args:
        path: the folder; may itself be a symbolic link.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self._root = os.path.realpath(self.path)
        self._listings: dict[str, dict[str, bool]] = {}

    def holds(self, name: str) -> bool:
        """Whether `name`, relative to the folder, is a file in it.

        Raises:
            ValueError: the name can only mean a file elsewhere, or none on any machine; why.
        """
        check_file_name(name)
        parent, _, base = name.rpartition("/")
        is_link = self._listing(parent, name).get(base)
        if is_link is None:
            return False
        if not is_link:
            return True
        target = os.path.realpath(os.path.join(self._root, name))
        self._check_inside(target, name)
        return os.path.isfile(target)

    def _listing(self, parent: str, name: str) -> dict[str, bool]:
        """The files and links of a directory, each with whether it is a link."""
        if parent not in self._listings:
            folder = os.path.realpath(os.path.join(self._root, parent))
            self._check_inside(folder, name)
            self._listings[parent] = _files(folder)
        return self._listings[parent]

    def _check_inside(self, target: str, name: str) -> None:
        if target != self._root and not target.startswith(os.path.join(self._root, "")):
            raise ValueError(f"{shown(name)} is a link out of it")


def check_file_name(name: str) -> None:
    """Makes sure that a relative file name stays below the folder that it is relative to.

    Symbolic links are not looked at.

    Raises:
        ValueError: what is wrong with it.
    """
    if _HARMLESS.fullmatch(name):
        return
    path = PurePosixPath(name)
    if not name or not path.parts:
        raise ValueError(f"{shown(name)} names no file")
    if "\\" in name or _DRIVE.match(name):
        raise ValueError(f"{shown(name)} is a name for Windows only (write a/b.png)")
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{shown(name)} leads out of it")
    if "\0" in name or not is_text(name):
        raise ValueError(f"{shown(name)} holds characters that no file name has")


def is_text(value: str) -> bool:
    """Whether a string can be written as UTF-8, which half a surrogate pair cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _files(folder: str) -> dict[str, bool]:
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: entry.is_symlink()
                for entry in entries
                if entry.is_symlink() or entry.is_file()
            }
    except OSError:
        return {}
