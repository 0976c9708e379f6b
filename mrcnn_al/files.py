"""Files that are either the old one or the new one, never half of one."""

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from mrcnn_al.errors import UserError

_RANDOM_BYTES = 4
# As `replacing` names its temporary files.
_TEMPORARY = re.compile(rf"\.(.+)\.[0-9a-f]{{{2 * _RANDOM_BYTES}}}(\.[^.]*)?")


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path` that takes its place when the block succeeds.

    The new content is flushed to the disk before the rename, and the rename after it, so that
    a process killed at any instant leaves either the old file or the whole new one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.stem}.{secrets.token_hex(_RANDOM_BYTES)}{path.suffix}"
    # Made like any new file, so that it has the rights that the user's umask leaves.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def leftovers(
    folder: str | os.PathLike, names: Collection[str] | None = None, idle_seconds: float = 0.0
) -> list[Path]:
    """The temporary files that `replacing` left in a folder when its process was killed.

    They look like those of a process that still writes; whoever asks holds a lock against
    such, or asks for files that have been idle for longer than any writing takes.

    Args:
        folder: looked into, but not into those inside it; need not exist.
        names: of the files that were to be replaced; any by default.
        idle_seconds: since the last change of a temporary file, at least.
    """
    folder, found = Path(folder), []
    for path in sorted(folder.glob(".*")):
        match = _TEMPORARY.fullmatch(path.name)
        if match and (names is None or match[1] + (match[2] or "") in names):
            # Another process may clear it away at the same time.
            with contextlib.suppress(FileNotFoundError):
                if idle_seconds <= 0 or time.time() - path.stat().st_mtime >= idle_seconds:
                    found.append(path)
    return found


def remove_leftovers(
    folder: str | os.PathLike, names: Collection[str] | None = None, idle_seconds: float = 0.0
) -> None:
    """Deletes what `leftovers` finds."""
    for path in leftovers(folder, names, idle_seconds):
        path.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Replaces `path` by `text` in UTF-8, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Replaces `path` by `value` as JSON, atomically. NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike, what: str = "JSON file") -> Any:
    """Reads a JSON file.

    Args:
        path: the file.
        what: what the file is to the user, for the message of an error.

    Raises:
        UserError: the file is missing, unreadable or not JSON; line and column are named.
    """
    return _read(path, what, lambda text: json.loads(text))


def read_text(path: str | os.PathLike, what: str = "file") -> str:
    """Reads a UTF-8 text file.

    Raises:
        UserError: the file is missing, unreadable or not UTF-8.
    """
    return _read(path, what, lambda text: text)


def _read(path: str | os.PathLike, what: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"The {what} {path} does not exist.") from None
    except json.JSONDecodeError as error:
        raise UserError(f"The {what} {path} is not valid JSON: {error}.") from error
    # ValueError: not UTF-8, or a number of thousands of digits; RecursionError: absurd nesting.
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"The {what} {path} cannot be read: {error}.") from error


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
