"""How good the pseudo-labels of each iteration are."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from mrcnn_al.evaluation.pseudo_quality import PseudoQuality
from mrcnn_al.report.canvas import drawing, legend_beside, whole_numbers
from mrcnn_al.report.palette import BLUE, GREEN, VERMILION

_SPREAD = 0.3


def pooled(qualities: Sequence[PseudoQuality]) -> tuple[float, float, float | None]:
    """Precision and recall over all instances, and the mean IoU over all matched ones."""
    labelled, objects, matched = (
        sum(getattr(quality, name) for quality in qualities)
        for name in ("labelled", "objects", "matched")
    )
    area = sum(q.iou * q.matched for q in qualities if q.matched)
    return (
        matched / labelled if labelled else 1.0,
        matched / objects if objects else 1.0,
        area / matched if matched else None,
    )


def draw_pseudo_quality(
    path: str | os.PathLike, qualities: Mapping[int, Sequence[PseudoQuality]]
) -> None:
    """IoU, precision and recall over the iterations; a point is the mean IoU of an image.

    Args:
        path: of the PNG.
        qualities: iteration to its pseudo-labelled images, at least one each.
    """
    lines = {number: pooled(images) for number, images in qualities.items()}
    keys = (("IoU of matches", BLUE, "o"), ("precision", GREEN, "s"), ("recall", VERMILION, "^"))
    orders = ((2, *keys[0]), (0, *keys[1]), (1, *keys[2]))
    with drawing(path) as figure:
        axes = figure.add_subplot()
        for number, images in qualities.items():
            ious = sorted(quality.iou for quality in images if quality.iou is not None)
            # Neighbours in rank stand apart, so that points do not hide one another.
            x = number + _SPREAD * (np.arange(len(ious)) * 0.618034 % 1 - 0.5)
            axes.plot(x, ious, ".", color=BLUE, alpha=0.5, markersize=6, markeredgewidth=0)
        for index, label, colour, marker in orders:
            known = [(n, line[index]) for n, line in lines.items() if line[index] is not None]
            if known:
                axes.plot(*zip(*known, strict=True), color=colour, marker=marker, label=label)
        axes.plot([], [], ".", color=BLUE, alpha=0.5, markersize=6, label="IoU of an image")
        axes.set(xlabel="iteration", ylabel="share, IoU", ylim=(0, 1.02))
        axes.set_xlim(min(qualities) - 0.5, max(*qualities, min(qualities) + 3) + 0.5)
        whole_numbers(axes.xaxis)
        legend_beside(axes)
