"""Random crops, scales, mirror images and turns that keep image, boxes and masks in step.

Masks are only ever cut, mirrored and turned, never resampled: a scaled crop is a cut at the
image's own resolution, and boxes are derived from the masks after the cut.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from mrcnn_al.instances import Instances, tight_box


@dataclass(frozen=True)
class View:
    """An image as it goes into the network, with its instances at their own resolution.

    Attributes:
        image: uint8 [H, W, 3].
        instances: in the cut that became the image, before it was scaled.
        padded: pixels of the image above, left, below and right of that cut.
    """

    image: np.ndarray
    instances: Instances
    padded: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def window(self) -> tuple[int, int, int, int]:
        """(y1, x1, y2, x2) of the cut in the image, pixels."""
        above, left, below, right = self.padded
        height, width = self.image.shape[:2]
        return above, left, height - below, width - right

    def boxes(self) -> np.ndarray:
        """The boxes of the instances in the image, float32 [N, 4] pixels."""
        y1, x1, y2, x2 = self.window
        factor = np.array([y2 - y1, x2 - x1]) / (self.instances.height, self.instances.width)
        boxes = self.instances.boxes * np.concatenate([factor, factor])
        return (boxes + np.array([y1, x1, y1, x1])).astype(np.float32)


def random_crop(
    image: np.ndarray,
    instances: Instances,
    size: int,
    scale: float,
    foreground: float,
    rng: np.random.Generator,
) -> View:
    """Cuts a square out of an image and scales it; beyond the image there is 0.

    Args:
        image: uint8 [H, W, 3].
        instances: of the image.
        size: side of the result, pixels.
        scale: pixels of the result per pixel of the image, about.
        foreground: chance that the square holds the centre of some instance.
        rng: draws the place.
    """
    side = max(1, round(size / scale))
    height, width = image.shape[:2]
    low = [min(0, extent - side) for extent in (height, width)]
    high = [max(0, extent - side) for extent in (height, width)]
    if len(instances) and rng.random() < foreground:
        box = instances.boxes[rng.integers(len(instances))]
        centre = (box[:2] + box[2:]) // 2
        low = [max(a, c - side + 1) for a, c in zip(low, centre, strict=True)]
        high = [min(b, c) for b, c in zip(high, centre, strict=True)]
    top, left = (int(rng.integers(a, b + 1)) for a, b in zip(low, high, strict=True))

    cut = np.zeros((side, side, 3), np.uint8)
    y1, x1, y2, x2 = max(top, 0), max(left, 0), min(top + side, height), min(left + side, width)
    cut[y1 - top : y2 - top, x1 - left : x2 - left] = image[y1:y2, x1:x2]
    if side != size:
        scaled = Image.fromarray(cut).resize((size, size), Image.Resampling.BILINEAR)
        cut = np.array(scaled)
    return View(cut, crop_instances(instances, top, left, side, side))


def crop_instances(instances: Instances, top: int, left: int, height: int, width: int) -> Instances:
    """The parts of instances inside a rectangle that may reach beyond the image."""
    boxes, masks, kept = [], [], []
    for index, ((y1, x1, y2, x2), mask) in enumerate(
        zip(instances.boxes, instances.masks, strict=True)
    ):
        a, b = max(y1, top), min(y2, top + height)
        c, d = max(x1, left), min(x2, left + width)
        if a >= b or c >= d:
            continue
        part = mask[a - y1 : b - y1, c - x1 : d - x1]
        box = tight_box(part)
        if box is None:
            continue
        offset = np.array([a - top, c - left, a - top, c - left])
        boxes.append(np.array(box) + offset)
        masks.append(part[box[0] : box[2], box[1] : box[3]])
        kept.append(index)
    kept = np.array(kept, int)
    return Instances(
        height,
        width,
        instances.class_ids[kept],
        np.reshape(boxes, (-1, 4)),
        tuple(masks),
        crowd=instances.crowd[kept],
    )


def flip(view: View) -> View:
    """Mirrors left and right."""
    instances = view.instances
    boxes = instances.boxes.copy()
    boxes[:, [1, 3]] = instances.width - boxes[:, [3, 1]]
    masks = tuple(mask[:, ::-1] for mask in instances.masks)
    size = (instances.height, instances.width)
    above, left, below, right = view.padded
    padded = (above, right, below, left)
    return View(view.image[:, ::-1], _moved(instances, boxes, masks, size), padded)


def flip_vertically(view: View) -> View:
    """Mirrors top and bottom."""
    instances = view.instances
    boxes = instances.boxes.copy()
    boxes[:, [0, 2]] = instances.height - boxes[:, [2, 0]]
    masks = tuple(mask[::-1] for mask in instances.masks)
    size = (instances.height, instances.width)
    above, left, below, right = view.padded
    padded = (below, left, above, right)
    return View(view.image[::-1], _moved(instances, boxes, masks, size), padded)


def turn(view: View) -> View:
    """Turns a view by 90 degrees, counter-clockwise."""
    instances = view.instances
    y1, x1, y2, x2 = instances.boxes.T
    boxes = np.stack([instances.width - x2, y1, instances.width - x1, y2], axis=1)
    masks = tuple(np.rot90(mask) for mask in instances.masks)
    size = (instances.width, instances.height)
    above, left, below, right = view.padded
    padded = (right, above, left, below)
    return View(np.rot90(view.image), _moved(instances, boxes, masks, size), padded)


def _moved(instances, boxes, masks, size):
    return Instances(*size, instances.class_ids, boxes, masks, crowd=instances.crowd)
