"""How mask uncertainty is spread over the unlabelled images (thesis, figures 3.4 and 6.3)."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from mrcnn_al.report.canvas import drawing, legend_below, whole_numbers
from mrcnn_al.report.palette import INK, MUTED, NEUTRAL, ZONES
from mrcnn_al.uncertainty.score_row import ScoreRow

_BINS = 25
# The bar of the images without detections stands apart, to the right of 100.
_APART, _APART_WIDTH, _END = 110.0, 6.0, 120.0


def draw_uncertainty_histogram(
    path: str | os.PathLike,
    rows: Sequence[ScoreRow],
    zones: Mapping[str, str],
    threshold: float | None = None,
) -> None:
    """Images over their normalised mask uncertainty, 0 to 100, zones in colour.

    The images with detections span the scale from the least to the most uncertain; the axis
    above has the pixels. Those without any detection have no variance and count as the most
    uncertain: they have a bar of their own.

    Args:
        path: of the PNG.
        rows: of the unlabelled images.
        zones: image id to low, medium, high, or blank where the strategy has no zones.
        threshold: mask uncertainty in pixels below which images get pseudo-labels; a line.
    """
    detected = [row for row in rows if not row.undetected]
    missing = [row for row in rows if row.undetected]
    pixels = np.array([row.mask for row in detected])
    least = pixels.min() if len(pixels) else 0.0
    span = (pixels.max() - least if len(pixels) else 0.0) or 1.0
    values = 100 * (pixels - least) / span
    groups = {zone: (f"{zone} zone", colour) for zone, colour in ZONES.items()}
    groups[""] = ("no zone", NEUTRAL)
    edges = np.linspace(0, 100, _BINS + 1)
    bars, apart = np.zeros(_BINS), 0
    with drawing(path, width=4.8, height=3.5) as figure:
        axes = figure.add_subplot()
        style = {"align": "edge", "edgecolor": "white", "linewidth": 0.8}
        for zone, (label, colour) in groups.items():
            chosen = np.array([zones.get(row.image_id, "") == zone for row in detected], bool)
            counts, _ = np.histogram(values[chosen] if len(values) else [], edges)
            own = sum(zones.get(row.image_id, "") == zone for row in missing)
            if counts.any() or own:
                seen, width = counts > 0, 100 / _BINS
                axes.bar(
                    edges[:-1][seen],
                    counts[seen],
                    width,
                    bars[seen],
                    label=label,
                    color=colour,
                    **style,
                )
                if own:
                    axes.bar(_APART, own, _APART_WIDTH, apart, color=colour, **style)
                bars, apart = bars + counts, apart + own
        axes.set(
            xlabel="normalised mask uncertainty",
            ylabel="images",
            xlim=(0, _END if missing else 100),
        )
        axes.set_xticks([0, 20, 40, 60, 80, 100])
        top = _limit_height(axes, float(bars.max()), apart)
        if apart:
            _name_undetected(axes, apart, top)
        if len(pixels):
            _add_pixels(axes, least, span)
        if threshold is not None and len(pixels):
            _add_threshold(axes, threshold, 100 * (threshold - least) / span)
        whole_numbers(axes.yaxis)
        legend_below(figure, axes, columns=2)


def _limit_height(axes, tallest: float, apart: int) -> float:
    """Early on most images can be without detections; the others must still be seen."""
    top = 1.12 * max(tallest, min(apart, 2 * tallest) if tallest else apart, 1.0)
    axes.set_ylim(0, top)
    return top


def _name_undetected(axes, count: int, top: float) -> None:
    x = _APART + _APART_WIDTH / 2
    cut = count > top
    axes.text(
        x,
        top if cut else count,
        f"{count} ↑" if cut else str(count),
        ha="center",
        va="bottom",
        fontsize=8,
        color=INK,
    )
    axes.text(
        x,
        -0.025,
        "none\ndetected",
        ha="center",
        va="top",
        fontsize=7.5,
        color=MUTED,
        transform=axes.get_xaxis_transform(),
    )


def _add_pixels(axes, least: float, span: float) -> None:
    above = axes.secondary_xaxis(
        "top",
        functions=(lambda x: least + x * span / 100, lambda pixels: 100 * (pixels - least) / span),
    )
    above.set_xticks([least + part * span / 100 for part in (0, 25, 50, 75, 100)])
    above.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    above.tick_params(labelsize=8, length=0)
    above.set_xlabel("pixels", fontsize=8, color=MUTED)
    above.spines["top"].set_visible(False)


def _add_threshold(axes, threshold: float, place: float) -> None:
    """A line where it is on the scale, else in words only."""
    label = f"pseudo-labels below {threshold:,.0f} px"
    if place < 0:
        label += " (no image)"
    elif place > 100:
        label += " (every image)"
    x = place if 0 <= place <= 100 else np.nan
    axes.axvline(x, color=INK, linewidth=1.3, linestyle=(0, (4, 2)), label=label)
