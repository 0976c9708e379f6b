"""The figures of a run, each a PNG."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from mrcnn_al.evaluation.learning_curve import CurvePoint
from mrcnn_al.report.canvas import drawing, legend_beside, whole_numbers
from mrcnn_al.report.palette import INK, MUTED, NEUTRAL, SERIES, ZONES, reason_colour
from mrcnn_al.uncertainty.score_row import ScoreRow

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


def draw_uncertainty_histogram(
    path: str | os.PathLike, rows: Sequence[ScoreRow], zones: Mapping[str, str]
) -> None:
    """How mask uncertainty is spread, 0 to 100, zones in colour (thesis, figures 3.4 and 6.3).

    The images with detections span the scale from the least to the most uncertain. Those
    without any detection have no variance; their number is written above.

    Args:
        path: of the PNG.
        rows: of the unlabelled images.
        zones: image id to low, medium, high, or blank where the strategy has no zones.
    """
    detected = [row for row in rows if not row.undetected]
    values = np.array([row.mask for row in detected])
    if len(values):
        values = 100 * (values - values.min()) / ((values.max() - values.min()) or 1.0)
    groups = {zone: (f"{zone} zone", colour) for zone, colour in ZONES.items()}
    groups[""] = ("no zone", NEUTRAL)
    with drawing(path) as figure:
        axes = figure.add_subplot()
        edges = np.linspace(0, 100, 26)
        base = np.zeros(len(edges) - 1)
        for zone, (label, colour) in groups.items():
            chosen = np.array([zones.get(row.image_id, "") == zone for row in detected], bool)
            if chosen.any():
                counts, _ = np.histogram(values[chosen], edges)
                style = {"align": "edge", "color": colour, "edgecolor": "white", "linewidth": 0.8}
                axes.bar(edges[:-1], counts, np.diff(edges), base, label=label, **style)
                base += counts
        missing = len(rows) - len(detected)
        if missing:
            axes.set_title(
                f"and {missing} without any detection", color=MUTED, fontweight="normal", fontsize=9
            )
        axes.set(xlabel="normalised mask uncertainty", ylabel="images", xlim=(0, 100))
        whole_numbers(axes.yaxis)
        if detected:
            legend_beside(axes)


def draw_batch_composition(path: str | os.PathLike, reasons: Mapping[int, Sequence[str]]) -> None:
    """Why the images of each batch were queried (thesis, figure 3.5).

    Args:
        path: of the PNG.
        reasons: iteration to one reason for each queried image.
    """
    named = sorted({reason for batch in reasons.values() for reason in batch}, key=_reason_order)
    heights = {
        _reason_label(reason): [list(batch).count(reason) for batch in reasons.values()]
        for reason in named
    }
    colours = [reason_colour(reason, named) for reason in named]
    _draw_stacks(path, list(reasons), heights, colours, "queried images")


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
    _draw_stacks(path, list(seconds), heights, SERIES, unit)


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


def _draw_stacks(
    path: str | os.PathLike,
    iterations: Sequence[int],
    heights: Mapping[str, Sequence[float]],
    colours: Sequence[str],
    unit: str,
) -> None:
    with drawing(path) as figure:
        axes = figure.add_subplot()
        base = np.zeros(len(iterations))
        for index, (label, values) in enumerate(heights.items()):
            colour = colours[index % len(colours)]
            axes.bar(iterations, values, 0.7, base, label=label, color=colour, edgecolor="white")
            base += values
        # One bar alone would fill the axes.
        axes.set(xlabel="iteration", ylabel=unit, xlim=(0.5, max(*iterations, 4) + 0.5))
        whole_numbers(axes.xaxis)
        if unit.endswith("images"):
            whole_numbers(axes.yaxis)
        # Read from the top, like the stack.
        legend_beside(axes, reverse=True)


def _reason_order(reason: str) -> tuple[int, str]:
    """Zones first, from low to high; random last."""
    kind, *details = reason.split(":")
    if kind == "zone" and details and details[0] in ZONES:
        return list(ZONES).index(details[0]), reason
    return len(ZONES) + (reason == "random"), reason


def _reason_label(reason: str) -> str:
    """`zone:low:fill` as a reader would say it."""
    kind, *details = reason.split(":")
    if kind != "zone" or not details:
        return reason.replace(":", " ").replace("_", " ")
    return " ".join([details[0], "zone", *(f"({detail})" for detail in details[1:])])
