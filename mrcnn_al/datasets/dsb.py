"""Nuclei of the Data Science Bowl 2018, stage 1, in Kaggle's layout."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from mrcnn_al.datasets.base import Dataset
from mrcnn_al.datasets.dsb_source import Sample, Source, open_source
from mrcnn_al.datasets.image_file import DECODING_ERRORS, read_image
from mrcnn_al.datasets.mask_cache import MaskCache
from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances
from mrcnn_al.progress import progress


class DsbDataset(Dataset):
    """Kaggle's `stage1_train`: one PNG image and a PNG mask per nucleus.

    The first opening decodes every image and mask once and keeps the masks in the cache folder;
    later ones read only that, as long as the source is unchanged. Images are decoded when asked
    for, by any number of threads. Masks that overlap stay as they are; those without a pixel are
    left out.

    Args:
        path: `stage1_train.zip`, its extracted folder, or the folder that contains this.
        cache_folder: where the parsed masks are kept; made if absent.
        skip_broken: leave out images that cannot be read instead of raising.

    Attributes:
        skipped: what was wrong with each image that was left out.
        empty_masks: how many mask files have no pixel.

    Raises:
        UserError: the path is absent, not a zip, without images or without masks, or has members
            that climb out of it; an image or a mask is damaged, missing, or the mask of another
            size than the image; the cache folder cannot be written.
    """

    class_names = ("nucleus",)
    category_ids = (1,)

    def __init__(
        self,
        path: str | os.PathLike,
        cache_folder: str | os.PathLike,
        skip_broken: bool = False,
    ):
        self._source = open_source(path)
        samples, problems = self._source.samples()
        self._cache = _cached_masks(self._source, samples, problems, Path(cache_folder))
        self.skipped = tuple(self._cache.problems.tolist())
        self.empty_masks = int(self._cache.empty_masks)
        if self.skipped and not skip_broken:
            raise UserError(
                f"{path} has {len(self.skipped)} broken image(s), the first: {self.skipped[0]}. "
                "Replace the files, or leave these images out (--skip-broken)."
            )
        self.image_ids = tuple(self._cache.image_ids.tolist())
        if not self.image_ids:
            raise UserError(f"{path} has no usable image, the first problem: {self.skipped[0]}.")
        self._samples = samples
        self._position = {image_id: index for index, image_id in enumerate(self.image_ids)}

    def size(self, image_id: str) -> tuple[int, int]:
        height, width = self._cache.sizes[self._position[image_id]].tolist()
        return height, width

    def load_image(self, image_id: str) -> np.ndarray:
        name = self._samples[image_id].image
        pixels = read_image(self._source.read(name), f"{name} in {self._source.path}")
        if pixels.shape[:2] != self.size(image_id):
            raise UserError(f"{name} in {self._source.path} changed its size since it was opened.")
        return pixels

    def load_instances(self, image_id: str) -> Instances:
        first, end = self._range(image_id)
        return Instances(
            *self.size(image_id),
            class_ids=np.ones(end - first, np.int32),
            boxes=self._cache.boxes[first:end],
            masks=tuple(self._cache.mask(index) for index in range(first, end)),
        )

    def instance_count(self, image_id: str) -> int:
        first, end = self._range(image_id)
        return end - first

    def _range(self, image_id: str) -> tuple[int, int]:
        position = self._position[image_id]
        first, end = self._cache.first[position : position + 2].tolist()
        return first, end


class _Parsed(NamedTuple):
    size: tuple[int, int]
    boxes: list[tuple[int, int, int, int]]
    bits: list[np.ndarray]
    empty: int


def _cached_masks(
    source: Source, samples: dict[str, Sample], problems: dict[str, str], folder: Path
) -> MaskCache:
    fingerprint = source.fingerprint()
    path = folder / f"dsb-{fingerprint[:16]}.npz"
    cache = MaskCache.load(path, fingerprint)
    if cache is None:
        cache = _parse(source, samples, problems)
        cache.save(path, fingerprint)
    return cache


def _parse(source: Source, samples: dict[str, Sample], problems: dict[str, str]) -> MaskCache:
    problems = dict(problems)
    parsed: dict[str, _Parsed] = {}

    def parse(item: tuple[str, Sample]) -> _Parsed | UserError:
        try:
            return _parse_sample(source, item[1])
        except UserError as error:
            return error

    # Nearly all the time goes into inflating PNGs, for which Pillow lets other threads run.
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        progress("reading masks, once", len(samples), "images") as advance,
    ):
        for image_id, result in zip(samples, pool.map(parse, samples.items()), strict=True):
            advance()
            if isinstance(result, UserError):
                problems[image_id] = str(result).rstrip(".")
            else:
                parsed[image_id] = result
    return MaskCache.build(
        list(parsed),
        [sample.size for sample in parsed.values()],
        [sample.boxes for sample in parsed.values()],
        [sample.bits for sample in parsed.values()],
        sum(sample.empty for sample in parsed.values()),
        [problems[image_id] for image_id in sorted(problems)],
    )


def _parse_sample(source: Source, sample: Sample) -> _Parsed:
    height, width = read_image(source.read(sample.image), sample.image).shape[:2]
    boxes, bits = [], []
    for name in sample.masks:
        with _open_mask(source.read(name), name) as mask:
            if mask.size != (width, height):
                raise UserError(
                    f"the mask {name} is {mask.height} x {mask.width} (height x width), "
                    f"its image {height} x {width}"
                )
            extent = mask.getbbox()
            if extent is not None:
                x1, y1, x2, y2 = extent
                boxes.append((y1, x1, y2, x2))
                bits.append(np.packbits(np.asarray(mask.crop(extent)) > 0))
    return _Parsed((height, width), boxes, bits, len(sample.masks) - len(boxes))


def _open_mask(content: bytes, name: str) -> Image.Image:
    """The mask as decoded 8-bit grey, not 0 inside."""
    try:
        mask = Image.open(io.BytesIO(content))
        mask.load()
    except DECODING_ERRORS as error:
        raise UserError(
            f"the mask {name} cannot be read, it may be damaged or cut off: {error}"
        ) from error
    if mask.mode == "L":
        return mask
    if mask.mode.startswith("I"):
        inside = np.asarray(mask) > 0
    else:
        inside = read_image(content, name).any(axis=2)
    return Image.fromarray(inside.astype(np.uint8))
