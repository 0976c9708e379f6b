"""A page of annotated thumbnails: what is in a dataset, at a glance."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mrcnn_al.datasets.base import Dataset
from mrcnn_al.datasets.image_file import write_image
from mrcnn_al.report.overlay import label_instances, outline, scale_instances
from mrcnn_al.report.palette import INK, MUTED, NEUTRAL, SERIES, class_colours, rgb

_COLUMNS = 4
_TILE = 320
_GAP = 16
_CAPTION = 26
_LEGEND_ROW = 24
_MOST_LABELS = 6
_OPACITY = 0.25
_OUTLINE = 2
# Of pictures smaller than a tile; larger steps than these show pixels, not objects.
_LARGEST_SCALE = 4


def choose_thumbnails(dataset: Dataset, count: int) -> tuple[str, ...]:
    """Images with annotations, as many as there are up to `count`, from all over the dataset."""
    annotated = [i for i in dataset.image_ids if dataset.instance_count(i)] or dataset.image_ids
    count = min(count, len(annotated))
    return tuple(
        annotated[(2 * index + 1) * len(annotated) // (2 * count)] for index in range(count)
    )


def draw_thumbnails(
    path: str | os.PathLike, dataset: Dataset, image_ids: Sequence[str], title: str = ""
) -> None:
    """Draws images with the outlines of their instances, coloured by class.

    Crowds have a grey outline. A legend tells the classes apart; where there are more classes
    than clearly different colours, the largest instances bear their names, too.

    Args:
        path: of the PNG.
        dataset: the images and their annotations.
        image_ids: which of them; at least one.
        title: above everything.

    Raises:
        UserError: an image cannot be read; it is named.
        ValueError: there is no image.
    """
    from PIL import Image, ImageDraw

    if not image_ids:
        raise ValueError("A page of no thumbnails.")
    many = len(dataset.class_names) > len(SERIES)
    colours = class_colours(len(dataset.class_names))
    tiles, classes = [], set()
    for image_id in image_ids:
        instances = dataset.load_instances(image_id)
        classes.update(instances.class_ids.tolist())
        image = dataset.load_image(image_id)
        tiles.append((image_id, *_thumbnail(image, instances, dataset, colours, many)))

    columns = min(_COLUMNS, len(tiles))
    rows = [tiles[index : index + columns] for index in range(0, len(tiles), columns)]
    heights = [max(pixels.shape[0] for _, pixels, _ in row) + _CAPTION + _GAP for row in rows]
    title_font, font = _font(18), _font(12)
    width = _COLUMNS * (_TILE + _GAP) + _GAP
    legend = _legend_rows(sorted(classes), dataset.class_names, font, width - 2 * _GAP)
    top = _GAP + (34 if title else 0)
    canvas = Image.new(
        "RGB", (width, top + sum(heights) + len(legend) * _LEGEND_ROW + _GAP), "white"
    )
    draw = ImageDraw.Draw(canvas)
    draw.text((_GAP, _GAP), title, font=title_font, fill=rgb(INK))
    y = top
    for row, height in zip(rows, heights, strict=True):
        for column, (image_id, pixels, words) in enumerate(row):
            x = _GAP + column * (_TILE + _GAP)
            canvas.paste(Image.fromarray(pixels), (x, y))
            size = "{} × {}".format(*dataset.size(image_id)[::-1])
            text = f"{_shortened(image_id, 20)}  {size}  {words}"
            draw.text((x, y + pixels.shape[0] + 5), text, font=font, fill=rgb(MUTED))
        y += height
    for row in legend:
        for x, class_id, text in row:
            box = (x + _GAP, y + 3, x + _GAP + 12, y + 15)
            draw.rectangle(box, fill=colours[class_id - 1])
            draw.text((x + _GAP + 20, y + 1), text, font=font, fill=rgb(INK))
        y += _LEGEND_ROW
    write_image(path, np.asarray(canvas))


def _thumbnail(image, instances, dataset, colours, labelled):
    """The picture, and how many instances there are, in words."""
    from PIL import Image

    scale = min(_TILE / max(image.shape[:2]), _LARGEST_SCALE)
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    picture = Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.array(picture)
    small = scale_instances(instances, scale, height, width)
    # Smaller ones last, so that nothing hides them.
    small = small.select(np.argsort(-small.areas(), kind="stable"))
    own = [
        rgb(NEUTRAL) if crowd else colours[class_id - 1]
        for class_id, crowd in zip(small.class_ids, small.crowd, strict=True)
    ]
    for colour, (y1, x1, y2, x2), mask in zip(own, small.boxes, small.masks, strict=True):
        window = pixels[y1:y2, x1:x2]
        blended = window * (1 - _OPACITY) + np.array(colour) * _OPACITY
        window[mask] = blended[mask].round().astype(np.uint8)
        window[outline(mask, _OUTLINE)] = colour
    if labelled:
        largest = range(min(len(small), _MOST_LABELS))
        pixels = label_instances(pixels, small.select(largest), dataset.class_names, own)
    crowds = int(instances.crowd.sum())
    words = _counted(len(instances) - crowds, "instance")
    return pixels, words + (f", {_counted(crowds, 'crowd')}" if crowds else "")


def _legend_rows(class_ids, class_names, font, width) -> list[list[tuple[int, int, str]]]:
    """(x, class id, name) of each entry, in rows that fit the width."""
    rows, x = [[]], 0
    for class_id in class_ids:
        text = _shortened(class_names[class_id - 1], 40)
        needed = 20 + math.ceil(font.getlength(text)) + 24
        if x + needed > width and rows[-1]:
            rows.append([])
            x = 0
        rows[-1].append((x, class_id, text))
        x += needed
    return rows if rows[0] else []


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _font(size: int):
    import matplotlib
    from PIL import ImageFont

    # Pillow's own font has hardly more than ASCII, and class names may be in any language.
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(str(path), size)
