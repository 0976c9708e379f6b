"""The masks of a whole dataset in a few flat arrays, in one file."""

import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.files import replacing

VERSION = 1


@dataclass(frozen=True)
class MaskCache:
    """Masks of N instances in M images, one bit a pixel, each inside its tight box.

    Attributes:
        image_ids: str [M].
        sizes: int32 [M, 2], height and width of each image in pixels.
        first: int64 [M + 1]; the instances of image m are first[m] to first[m + 1].
        boxes: int32 [N, 4], pixels (y1, x1, y2, x2), y2 and x2 outside.
        offsets: int64 [N + 1]; the mask of instance n is bits[offsets[n]:offsets[n + 1]].
        bits: uint8, row by row, each mask padded to whole bytes.
        empty_masks: int64 [], mask files without a pixel, which are left out.
        problems: str [K], why images were left out.
    """

    image_ids: np.ndarray
    sizes: np.ndarray
    first: np.ndarray
    boxes: np.ndarray
    offsets: np.ndarray
    bits: np.ndarray
    empty_masks: np.ndarray
    problems: np.ndarray

    @classmethod
    def build(
        cls,
        image_ids: Sequence[str],
        sizes: Sequence[tuple[int, int]],
        boxes: Sequence[Sequence[tuple[int, int, int, int]]],
        bits: Sequence[Sequence[np.ndarray]],
        empty_masks: int,
        problems: Sequence[str],
    ) -> "MaskCache":
        """From one list of boxes and one of packed masks (uint8) per image."""
        flat_boxes = [box for image in boxes for box in image]
        flat_bits = [mask for image in bits for mask in image]
        return cls(
            image_ids=np.array(image_ids, np.str_),
            sizes=np.array(sizes, np.int32).reshape(-1, 2),
            first=_offsets([len(image) for image in boxes]),
            boxes=np.array(flat_boxes, np.int32).reshape(-1, 4),
            offsets=_offsets([len(mask) for mask in flat_bits]),
            bits=np.concatenate([np.zeros(0, np.uint8), *flat_bits]),
            empty_masks=np.array(empty_masks, np.int64),
            problems=np.array(problems, np.str_),
        )

    def mask(self, index: int) -> np.ndarray:
        """Mask of instance `index`, bool [y2 - y1, x2 - x1] of its box."""
        y1, x1, y2, x2 = self.boxes[index].tolist()
        packed = self.bits[self.offsets[index] : self.offsets[index + 1]]
        flat = np.unpackbits(packed, count=(y2 - y1) * (x2 - x1))
        return flat.view(bool).reshape(y2 - y1, x2 - x1)

    def save(self, path: str | os.PathLike, fingerprint: str) -> None:
        """Replaces `path` atomically.

        Args:
            path: an .npz file.
            fingerprint: of what the masks were read from.

        Raises:
            UserError: the file cannot be written.
        """
        try:
            with replacing(path) as temporary, temporary.open("wb") as file:
                np.savez_compressed(file, fingerprint=_stamp(fingerprint), **asdict(self))
        except OSError as error:
            raise UserError(
                f"The cache {path} cannot be written: {error}. Give another cache folder."
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike, fingerprint: str) -> "MaskCache | None":
        """Opens what `save` wrote; None if it is absent, damaged or of another fingerprint."""
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
                if str(content["fingerprint"]) != _stamp(fingerprint):
                    return None
                cache = cls(**{field.name: content[field.name] for field in fields(cls)})
        # Whatever is wrong with the file, the masks are read again from their source.
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error):
            return None
        return cache if cache._is_consistent() else None

    def _is_consistent(self) -> bool:
        return (
            self.sizes.shape == (len(self.image_ids), 2)
            and self.first.shape == (len(self.image_ids) + 1,)
            and self.boxes.shape == (self.first[-1], 4)
            and self.offsets.shape == (self.first[-1] + 1,)
            and self.bits.shape == (self.offsets[-1],)
        )


def _offsets(lengths: Sequence[int]) -> np.ndarray:
    return np.cumsum([0, *lengths], dtype=np.int64)


def _stamp(fingerprint: str) -> str:
    return f"{VERSION}:{fingerprint}"
