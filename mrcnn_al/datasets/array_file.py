"""Arrays in one file that is mapped into memory instead of being read."""

import json
import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.files import replacing

_MAGIC = b"mrcnn_al"
_ALIGNMENT = 64
_BLOCK = 2**20
# Before everything else: magic, the length of the header, and a checksum of it and of all that
# follows.
_PREAMBLE = struct.Struct("<8sQQ")
_UNREADABLE = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError),
    struct.error,
)


def write_arrays(
    path: str | os.PathLike, content: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Replaces `path` atomically.

    Args:
        path: the file.
        content: what JSON can hold.
        arrays: by name, of numbers.

    Raises:
        UserError: the file cannot be written.
    """
    layout, offset = {}, 0
    for name, array in arrays.items():
        dtype = array.dtype.newbyteorder("<").str
        layout[name] = {"dtype": dtype, "shape": array.shape, "offset": offset}
        offset += _aligned(array.nbytes)
    header = json.dumps({"content": content, "arrays": layout}).encode()
    header += b" " * (_aligned(_PREAMBLE.size + len(header)) - _PREAMBLE.size - len(header))
    try:
        with replacing(path) as temporary, temporary.open("wb") as file:
            file.write(bytes(_PREAMBLE.size))
            checksum = _append(file, header, len(header))
            for name, array in arrays.items():
                data = np.ascontiguousarray(array, layout[name]["dtype"]).reshape(-1)
                checksum = _append(file, data.view(np.uint8), checksum)
                checksum = _append(file, bytes(_aligned(data.nbytes) - data.nbytes), checksum)
            file.seek(0)
            file.write(_PREAMBLE.pack(_MAGIC, len(header), checksum))
    except OSError as error:
        raise UserError(
            f"The cache {path} cannot be written: {error}. Give another cache folder."
        ) from error


def map_arrays(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """Opens what `write_arrays` wrote; None if it is absent, damaged or something else.

    All of the file is compared with its checksum, but what stays in memory is what is looked at.
    The mapping ends with the last array that refers to it.

    Returns:
        The content, and the arrays, which cannot be written to.
    """
    try:
        with open(path, "rb") as file:
            magic, length, checksum = _PREAMBLE.unpack(file.read(_PREAMBLE.size))
            if magic != _MAGIC or checksum != _checksum(file, length):
                return None
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        begin = _PREAMBLE.size + length
        header = json.loads(mapped[_PREAMBLE.size : begin])
        arrays = {
            name: np.frombuffer(
                mapped, entry["dtype"], int(np.prod(entry["shape"])), begin + entry["offset"]
            ).reshape(entry["shape"])
            for name, entry in header["arrays"].items()
        }
        return header["content"], arrays
    # Whatever is wrong with the file, it is made again.
    except _UNREADABLE:
        return None


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _append(file: BinaryIO, data: bytes | np.ndarray, checksum: int) -> int:
    file.write(data)
    return zlib.crc32(data, checksum)


def _checksum(file: BinaryIO, checksum: int) -> int:
    """Of the rest of a file, without keeping it."""
    block = bytearray(_BLOCK)
    view = memoryview(block)
    while count := file.readinto(block):
        checksum = zlib.crc32(view[:count], checksum)
    return checksum
