"""Instances drawn over their image."""

from collections.abc import Sequence

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.report.palette import SERIES, rgb

OPACITY = 0.4
MOST_LABELS = 25


def draw_instances(
    image: np.ndarray, instances: Instances, class_names: Sequence[str] | None = None
) -> np.ndarray:
    """Masks as coloured glass with an outline; with few instances, class and score beside.

    Neighbours in the list differ in colour; the colour does not tell the class.

    Args:
        image: RGB, uint8 [H, W, 3].
        instances: in an image of that size.
        class_names: of classes 1, 2, ...; None for no labels.

    Returns:
        RGB, uint8 [H, W, 3]; `image` is left alone.

    Raises:
        ValueError: image and instances differ in size.
    """
    if image.shape[:2] != (instances.height, instances.width):
        raise ValueError(
            f"Instances of an image of {instances.height} x {instances.width} "
            f"on one of {image.shape[0]} x {image.shape[1]}."
        )
    result = image.copy()
    thickness = max(1, round(min(image.shape[:2]) / 400))
    for index, (box, mask) in enumerate(zip(instances.boxes, instances.masks, strict=True)):
        y1, x1, y2, x2 = box
        window = result[y1:y2, x1:x2]
        colour = np.array(rgb(SERIES[index % len(SERIES)]))
        blended = window * (1 - OPACITY) + colour * OPACITY
        window[mask] = blended[mask].round().astype(np.uint8)
        window[outline(mask, thickness)] = colour
    if class_names is not None and len(instances) <= MOST_LABELS:
        colours = [rgb(SERIES[index % len(SERIES)]) for index in range(len(instances))]
        result = label_instances(result, instances, class_names, colours)
    return result


def outline(mask: np.ndarray, thickness: int) -> np.ndarray:
    """The pixels of a mask within `thickness` steps of its border, bool like it."""
    inner = mask
    for _ in range(thickness):
        padded = np.pad(inner, 1)
        inner = inner & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def scale_instances(instances: Instances, scale: float, height: int, width: int) -> Instances:
    """The instances, in order, in their image resized to `height` x `width`.

    Args:
        instances: of the image as it was.
        scale: new length over old.
        height: new, pixels.
        width: new, pixels.

    Returns:
        Instances of at least one pixel in height and width each.
    """
    from PIL import Image

    boxes, masks = [], []
    for box, mask in zip(instances.boxes, instances.masks, strict=True):
        y1, x1, y2, x2 = np.round(box * scale).astype(int).tolist()
        y1, x1 = min(y1, height - 1), min(x1, width - 1)
        y2, x2 = min(max(y2, y1 + 1), height), min(max(x2, x1 + 1), width)
        grey = Image.fromarray(mask.astype(np.uint8) * 255)
        resized = grey.resize((x2 - x1, y2 - y1), Image.Resampling.BILINEAR)
        boxes.append((y1, x1, y2, x2))
        masks.append(np.asarray(resized) >= 128)
    return Instances(
        height, width, instances.class_ids, boxes, masks, instances.scores, instances.crowd
    )


def label_instances(
    image: np.ndarray,
    instances: Instances,
    class_names: Sequence[str],
    colours: Sequence[tuple[int, int, int]],
) -> np.ndarray:
    """The class of each instance, and its score if it has one, above its box.

    Args:
        image: RGB, uint8 [H, W, 3].
        instances: in an image of that size.
        class_names: of classes 1, 2, ...
        colours: RGB behind the text of each instance.

    Returns:
        RGB, uint8 [H, W, 3]; `image` is left alone.
    """
    from PIL import Image, ImageDraw, ImageFont

    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    size = int(np.clip(min(image.shape[:2]) / 32, 10, 24))
    font = ImageFont.load_default(size)
    for index, (y1, x1, _, _) in enumerate(instances.boxes.tolist()):
        text = class_names[instances.class_ids[index] - 1]
        if instances.crowd[index]:
            text += " (crowd)"
        if instances.scores is not None:
            text += f" {instances.scores[index]:.2f}"
        left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
        width, height = right - left + 6, bottom - top + 6
        # Kept inside the image, whatever the mask touches.
        x = max(0, min(x1, instances.width - width))
        y = max(0, y1 - height)
        colour = tuple(colours[index])
        draw.rectangle((x, y, x + width - 1, y + height - 1), fill=colour)
        # White or black, whichever the luma (ITU-R BT.601) of the colour leaves readable.
        luma = np.dot(colour, (0.299, 0.587, 0.114))
        ink = (0, 0, 0) if luma > 120 else (255, 255, 255)
        draw.text((x + 3 - left, y + 3 - top), text, font=font, fill=ink)
    return np.asarray(canvas).copy()
