"""Figures of a whole run: its learning curve, its losses, its time."""

import os
from collections.abc import Mapping, Sequence

from mrcnn_al.evaluation.learning_curve import CurvePoint
from mrcnn_al.report.canvas import drawing, legend_beside, whole_numbers
from mrcnn_al.report.palette import INK, NEUTRAL, SERIES
from mrcnn_al.report.stacks import draw_stacks

_LOSSES = (
    "rpn_class_loss",
    "rpn_bbox_loss",
    "mrcnn_class_loss",
    "mrcnn_bbox_loss",
    "mrcnn_mask_loss",
)


def draw_learning_curves(
    path: str | os.PathLike, curves: Mapping[str, Sequence[CurvePoint]]
) -> None:
    """mAP over labelled images, one colour a run: AP solid, AP50 dashed (thesis, figures 5.x).

    Args:
        path: of the PNG.
        curves: name of a run to its points; undefined values are left out.
    """
    with drawing(path) as figure:
        axes = figure.add_subplot()
        for index, (name, points) in enumerate(curves.items()):
            for metric, style in (("AP", "-"), ("AP50", "--")):
                known = [point for point in points if getattr(point, metric) is not None]
                axes.plot(
                    [point.labelled_images for point in known],
                    [getattr(point, metric) for point in known],
                    style,
                    marker="o",
                    color=SERIES[index % len(SERIES)],
                    markerfacecolor="white" if metric == "AP50" else None,
                    label=metric if len(curves) == 1 else f"{name} {metric}",
                )
        axes.set(xlabel="labelled images", ylabel="mAP", ylim=(0, None))
        whole_numbers(axes.xaxis)
        legend_beside(axes)


def draw_seconds(path: str | os.PathLike, seconds: Mapping[int, Mapping[str, float]]) -> None:
    """Where the time went.

    Args:
        path: of the PNG.
        seconds: iteration to phase to seconds; a phase may be missing.
    """
    phases = list(dict.fromkeys(phase for spent in seconds.values() for phase in spent))
    longest = max((sum(spent.values()) for spent in seconds.values()), default=0.0)
    unit, length = ("minutes", 60.0) if longest > 300 else ("seconds", 1.0)
    heights = {
        phase: [spent.get(phase, 0.0) / length for spent in seconds.values()] for phase in phases
    }
    draw_stacks(path, list(seconds), heights, SERIES, unit)


def draw_losses(
    path: str | os.PathLike, histories: Mapping[int, Sequence[Mapping[str, float]]]
) -> None:
    """The losses of every epoch of the run; a vertical line begins an iteration.

    Args:
        path: of the PNG.
        histories: iteration to its epochs, each with the losses by name.
    """
    epochs = [epoch for history in histories.values() for epoch in history]
    lines = {"loss": (INK, "-", 2.0), "val_loss": (INK, "--", 1.2)}
    lines |= {name: (colour, "-", 1.2) for name, colour in zip(_LOSSES, SERIES, strict=False)}
    with drawing(path) as figure:
        axes = figure.add_subplot()
        for name, (colour, style, width) in lines.items():
            known = [(x, epoch[name]) for x, epoch in enumerate(epochs, start=1) if name in epoch]
            if known:
                marker = "o" if len(known) == 1 else None
                label = name.removesuffix("_loss").replace("_", " ") if name != "loss" else "total"
                axes.plot(
                    *zip(*known, strict=True),
                    style,
                    color=colour,
                    linewidth=width,
                    marker=marker,
                    label={"val": "total, validation"}.get(label, label),
                )
        start = 0
        for history in list(histories.values())[:-1]:
            start += len(history)
            axes.axvline(start + 0.5, color=NEUTRAL, linewidth=0.6, zorder=0)
        axes.set(xlabel="epoch of the run", ylabel="loss", ylim=(0, None))
        whole_numbers(axes.xaxis)
        legend_beside(axes)
