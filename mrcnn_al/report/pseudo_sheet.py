"""Pseudo-labels over their images, beside the truth that the model has not seen."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrcnn_al.evaluation.pseudo_quality import PseudoQuality, match_pseudo_labels
from mrcnn_al.instances import Instances
from mrcnn_al.report.canvas import drawing
from mrcnn_al.report.overlay import outline, scale_instances
from mrcnn_al.report.palette import INK, MUTED, NEUTRAL, ORANGE, SKY, VERMILION, rgb

_TILE_INCHES = 2.7
_TILE_PIXELS = 432
_OUTLINE = 2
_MATCHED, _MISSED, _WRONG, _CROWD = SKY, ORANGE, VERMILION, NEUTRAL


@dataclass(frozen=True)
class PseudoExample:
    """One pseudo-labelled image.

    Attributes:
        title: such as `best`.
        image: RGB, uint8 [H, W, 3].
        truth: of the image.
        labels: that the model gave it.
        quality: of these.
    """

    title: str
    image: np.ndarray
    truth: Instances
    labels: Instances
    quality: PseudoQuality


def choose_examples(qualities: Sequence[PseudoQuality]) -> dict[str, PseudoQuality]:
    """The best, the median and the worst image by panoptic quality; fewer of fewer."""
    ranked = sorted(qualities, key=lambda q: (-q.panoptic_quality, q.image_id))
    names = {1: ("best",), 2: ("best", "worst")}.get(len(ranked), ("best", "median", "worst"))
    places = {"best": 0, "median": len(ranked) // 2, "worst": -1}
    return {name: ranked[places[name]] for name in names if ranked}


def draw_pseudo_sheet(path: str | os.PathLike, examples: Sequence[PseudoExample]) -> None:
    """A row for each image: as it is, with the truth, with the pseudo-labels.

    Outlines are light blue where the two agree, orange around objects without a label, vermilion
    around labels without an object, grey around crowds.

    Args:
        path: of the PNG.
        examples: at least one.

    Raises:
        ValueError: there is none.
    """
    from matplotlib.lines import Line2D

    if not examples:
        raise ValueError("A sheet of no pseudo-labels.")
    # Images far from square would make rows of nothing but white, or of no width.
    heights = [
        _TILE_INCHES * min(max(e.image.shape[0] / e.image.shape[1], 0.4), 1.4) for e in examples
    ]
    with drawing(path, 3 * _TILE_INCHES, sum(heights) + 0.3 * len(examples) + 0.3) as figure:
        grid = figure.subplots(len(examples), 3, squeeze=False, height_ratios=heights)
        for row, example in zip(grid, examples, strict=True):
            quality = example.quality
            iou = "–" if quality.iou is None else f"{quality.iou:.2f}"
            captions = (
                f"{example.title}: panoptic quality {quality.panoptic_quality:.2f}",
                f"hidden truth: {quality.objects} objects, {quality.recall:.0%} labelled",
                f"{quality.labelled} pseudo-labels, {quality.precision:.0%} right, IoU {iou}",
            )
            for axes, picture, caption in zip(row, _pictures(example), captions, strict=True):
                axes.axis("off")
                axes.imshow(picture, interpolation="nearest")
                axes.set_title(caption, fontsize=8.5, fontweight="normal", color=MUTED, pad=3)
            row[0].title.set_color(INK)
        keys = (("matched", _MATCHED), ("missed", _MISSED), ("wrong", _WRONG))
        handles = [Line2D([], [], color=colour, linewidth=3, label=label) for label, colour in keys]
        figure.legend(handles=handles, loc="outside lower center", ncols=3)


def _pictures(example: PseudoExample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from PIL import Image

    matches = match_pseudo_labels(example.truth, example.labels)
    colours = {-1: _MISSED, -2: _CROWD}
    of_objects = [rgb(colours.get(index, _MATCHED)) for index in matches.of_objects.tolist()]
    colours = {-1: _WRONG, -2: _CROWD}
    of_labels = [rgb(colours.get(index, _MATCHED)) for index in matches.of_labels.tolist()]
    # Scaled first, so that outlines are as wide in small images as in large ones.
    scale = _TILE_PIXELS / max(example.image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in example.image.shape[:2])
    resized = Image.fromarray(example.image).resize((width, height), Image.Resampling.LANCZOS)
    image = np.asarray(resized)
    truth = scale_instances(example.truth, scale, height, width)
    labels = scale_instances(example.labels, scale, height, width)
    return image, _outlined(image, truth, of_objects), _outlined(image, labels, of_labels)


def _outlined(image, instances, colours):
    result = image.copy()
    for box, mask, colour in zip(instances.boxes, instances.masks, colours, strict=True):
        y1, x1, y2, x2 = box
        result[y1:y2, x1:x2][outline(mask, _OUTLINE)] = colour
    return result
