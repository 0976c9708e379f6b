"""Image files: every common kind to RGB, and RGB to PNG."""

import contextlib
import io
import os
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from mrcnn_al.errors import UserError
from mrcnn_al.files import replacing

# How the files of the commonest kinds end, if they are whole.
_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}
_TAIL = 64

# What Pillow's decoders raise on files that are cut off or damaged; a missing file is an OSError.
DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def read_image(source: str | os.PathLike | bytes, name: str | None = None) -> np.ndarray:
    """Reads an image file, all of it, whatever its colour mode.

    Grey becomes three equal channels, an alpha channel is dropped, 16-bit values are divided by
    257. The pixels stay as they are stored: annotations refer to these, not to what a viewer
    makes of an orientation tag.

    Args:
        source: path of the file, or its content.
        name: what to call the file in an error; the path by default.

    Returns:
        RGB, uint8 [H, W, 3].

    Raises:
        UserError: the file is missing, damaged, cut off, or of a kind that has no place in 0..255
            (floating point).
    """
    is_content = isinstance(source, bytes)
    name = name or ("image" if is_content else str(source))
    with _opened(io.BytesIO(source) if is_content else source, name) as image:
        return _rgb(image)


def image_size(path: str | os.PathLike) -> tuple[int, int]:
    """Height and width of an image file in pixels, from its header alone.

    Raises:
        UserError: the file is missing or no image.
    """
    with _opened(path, str(path)) as image:
        return image.height, image.width


def check_image_file(path: str | os.PathLike) -> tuple[int, int]:
    """Height and width of an image file that is whole, in pixels.

    A JPEG or PNG is decoded only where it does not end as such files do; others always are.

    Raises:
        UserError: the file is missing, no image, or cut off.
    """
    with _opened(path, str(path)) as image:
        end = _ENDS.get(image.format or "")
        if end is None or end not in _tail(path):
            image.load()
        return image.height, image.width


def _tail(path: str | os.PathLike) -> bytes:
    with open(path, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
        return file.read()


def write_image(path: str | os.PathLike, image: np.ndarray) -> None:
    """Writes a uint8 RGB image [H, W, 3] as PNG, atomically."""
    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary, format="PNG")


@contextlib.contextmanager
def _opened(source: str | os.PathLike | io.BytesIO, name: str) -> Iterator[Image.Image]:
    """An image whose decoding, too, ends in a UserError if it fails."""
    try:
        with Image.open(source) as image:
            yield image
    except FileNotFoundError:
        raise UserError(f"The image {name} does not exist.") from None
    except DECODING_ERRORS as error:
        raise UserError(
            f"The image {name} cannot be read, it may be damaged or cut off: {error}"
        ) from error


def _rgb(image: Image.Image) -> np.ndarray:
    if image.mode == "F":
        raise ValueError("floating-point pixels; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        return np.repeat(((grey + 128) // 257).astype(np.uint8)[:, :, None], 3, axis=2)
    if image.mode == "P":
        # Pillow warns when a palette with transparent entries goes to RGB directly.
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))
