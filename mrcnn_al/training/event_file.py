"""Scalars in TensorBoard's file format, written without TensorFlow or TensorBoard.

A file is a row of TFRecords: length, masked CRC-32C of the length, data, masked CRC-32C of the
data. Each holds a protocol buffer `Event` (tensorflow/core/util/event.proto), of which a few
fields are enough.
"""

import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

_VERSION = b"brain.Event:2"
_SESSION_START = 1
_DOUBLE, _BYTES, _FLOAT = 1, 2, 5


class EventFile:
    """A new event file in a folder, with its scalars.

    Args:
        folder: made where it is missing; TensorBoard shows all files of a folder as one run.
        first_step: what other files of the folder hold from this step on is taken back, as when
            a training goes on from a checkpoint.
    """

    def __init__(self, folder: str | os.PathLike, first_step: int = 0):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns():020d}.{socket.gethostname()}.{os.getpid()}"
        self._file = open(folder / name, "xb")  # noqa: SIM115
        self._write(_field(3, _BYTES, _VERSION))
        session = _field(1, 0, _SESSION_START)
        self._write(_field(2, 0, first_step) + _field(7, _BYTES, session))

    def __enter__(self) -> "EventFile":
        return self

    def __exit__(self, *exception) -> None:
        self._file.close()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Adds numbers of a step, by their names, and flushes."""
        summary = b"".join(
            _field(1, _BYTES, _field(1, _BYTES, name.encode()) + _field(2, _FLOAT, value))
            for name, value in values.items()
        )
        self._write(_field(2, 0, step) + _field(5, _BYTES, summary))
        self._file.flush()

    def _write(self, fields):
        data = _field(1, _DOUBLE, time.time()) + fields
        length = struct.pack("<Q", len(data))
        self._file.write(length + _masked(length) + data + _masked(data))


def crc32c(data: bytes) -> int:
    """The Castagnoli checksum (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _table_entry(value):
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value


_TABLE = [_table_entry(value) for value in range(256)]


def _masked(data):
    crc = crc32c(data)
    rotated = (crc >> 15) | (crc << 17)
    return struct.pack("<I", (rotated + 0xA282EAD8) & 0xFFFFFFFF)


def _field(number, kind, value):
    key = _varint(number << 3 | kind)
    if kind == _BYTES:
        return key + _varint(len(value)) + value
    if kind == 0:
        return key + _varint(value)
    return key + struct.pack("<d" if kind == _DOUBLE else "<f", value)


def _varint(value):
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])
