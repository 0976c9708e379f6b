"""Mean curves with their intervals in one chart (thesis, figures 5.x)."""

import math
import os
import textwrap
from dataclasses import dataclass

import numpy as np

from mrcnn_al.report.canvas import drawing, legend_beside, whole_numbers
from mrcnn_al.report.palette import INK, LINES, MUTED

# Colours alone are lost on paper without any, and there are but seven.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_STYLES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
_REFERENCE_STYLES = ((0, (7, 3)), (0, (2, 2)), (0, (7, 2, 1.5, 2)), (0, (1, 3)))
_REPORTED_MARKERS = ("*", "h", "p", "8", "d", ">", "<")
_TALLEST_LEGEND = 12
_WIDEST_NAME = 30
# More shaded intervals over one another leave none to be seen.
_MOST_SHADED = 4
_STEP_ASIDE = 0.012


@dataclass(frozen=True)
class Band:
    """A mean curve with its 95 % interval.

    Attributes:
        name: in the legend.
        x: [N].
        mean: [N]; what is NaN is left out.
        low: [N], lower ends of the intervals, NaN where there is only one repeat.
        high: [N], upper ends.
        repeats: the single runs, drawn thin; each over the first values of `x`.
    """

    name: str
    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    repeats: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self):
        lengths = {len(self.x), len(self.mean), len(self.low), len(self.high)}
        if len(lengths) > 1 or any(len(repeat) > len(self.x) for repeat in self.repeats):
            raise ValueError(f"Band {self.name!r}: its columns differ in length.")


@dataclass(frozen=True)
class Reference:
    """A horizontal line.

    Attributes:
        name: in the legend.
        y: its height.
    """

    name: str
    y: float


@dataclass(frozen=True)
class ReportedPoint:
    """What others reported, drawn as a marker.

    Attributes:
        name: in the legend; that of a band gives it the band's colour.
        x: its place.
        y: its height.
    """

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Chart:
    """Curves over one another.

    Attributes:
        heading: of its section; not in the picture.
        x_label: of the axis, with the unit.
        y_label: of the axis, with the unit.
        bands: the curves.
        references: lines to compare with.
        reported: points to compare with.
        caption: below the picture.
    """

    heading: str
    x_label: str
    y_label: str
    bands: tuple[Band, ...]
    references: tuple[Reference, ...] = ()
    reported: tuple[ReportedPoint, ...] = ()
    caption: str = ""


def draw_chart(path: str | os.PathLike, chart: Chart) -> None:
    """Draws a chart: means bold, intervals shaded, single repeats thin, the legend beside.

    Of more than four curves the intervals are bars and the single repeats dots, each curve a little
    aside from the others.

    Args:
        path: of the PNG.
        chart: what is on it.
    """
    entries = len(chart.bands) + len(chart.references) + len(chart.reported)
    extra = max(entries - _TALLEST_LEGEND, 0)
    with drawing(path, height=4.4 + 0.25 * extra) as figure:
        axes = figure.add_subplot()
        colours, shifts = {}, _shifts(chart.bands)
        for index, band in enumerate(chart.bands):
            colours[band.name] = LINES[index % len(LINES)]
            _draw_band(axes, band, index, shifts[index])
        for index, line in enumerate(chart.references):
            style = _REFERENCE_STYLES[index % len(_REFERENCE_STYLES)]
            axes.axhline(
                line.y, color=MUTED, linestyle=style, linewidth=1.4, label=_wrapped(line.name)
            )
        for index, name in enumerate(dict.fromkeys(point.name for point in chart.reported)):
            points = [(point.x, point.y) for point in chart.reported if point.name == name]
            axes.plot(
                *zip(*points, strict=True),
                _REPORTED_MARKERS[index % len(_REPORTED_MARKERS)],
                markersize=12 if index == 0 else 9,
                color=colours.get(name, "white"),
                markeredgecolor=INK,
                label=_wrapped(f"{name}, reported" if name in colours else name),
                zorder=5,
            )
        axes.set(xlabel=chart.x_label, ylabel=chart.y_label)
        # Differences are what a chart is for: its axis begins at 0 only where that is near.
        low, high = axes.dataLim.intervaly
        if 0 <= low <= 0.4 * high:
            axes.set_ylim(0, None)
        if all(float(x).is_integer() for band in chart.bands for x in band.x):
            whole_numbers(axes.xaxis)
        if entries:
            legend_beside(axes)


def describe_chart(chart: Chart) -> str:
    """What a chart shows, in words, for who cannot see it."""
    sentences = [f"{chart.heading}: {chart.y_label} over {chart.x_label}."]
    for band in chart.bands:
        columns = zip(band.x, band.mean, band.low, band.high, strict=True)
        known = [row for row in columns if not math.isnan(row[1])]
        if not known:
            sentences.append(f"{band.name} has no value yet.")
            continue
        (first_x, first, *_), (last_x, last, low, high) = known[0], known[-1]
        interval = "" if math.isnan(low) else f" (95 % interval {low:.3f} to {high:.3f})"
        sentences.append(
            f"{band.name} goes from {first:.3f} at {first_x:g} to {last:.3f}{interval} at "
            f"{last_x:g}."
        )
    sentences += [f"{line.name} is a line at {line.y:.3f}." for line in chart.references]
    sentences += [f"{point.name} is at ({point.x:g}, {point.y:.3f})." for point in chart.reported]
    return " ".join(sentences)


def _wrapped(name: str) -> str:
    return "\n".join(textwrap.wrap(name, _WIDEST_NAME)) or name


def _shifts(bands) -> list[float | None]:
    """How far each curve stands aside; None where intervals are shaded instead."""
    if len(bands) <= _MOST_SHADED:
        return [None] * len(bands)
    places = [x for band in bands for x in band.x]
    step = _STEP_ASIDE * (max(places) - min(places)) if places else 0.0
    return [step * (index - (len(bands) - 1) / 2) for index in range(len(bands))]


def _draw_band(axes, band: Band, index: int, shift: float | None) -> None:
    cycle, place = divmod(index, len(LINES))
    colour = LINES[place]
    x, mean, low, high = (np.array(v, float) for v in (band.x, band.mean, band.low, band.high))
    known = np.isfinite(mean)
    ranged = known & np.isfinite(low) & np.isfinite(high)
    if shift is not None:
        x = x + shift
        axes.vlines(x[ranged], low[ranged], high[ranged], color=colour, alpha=0.6, linewidth=1.5)
    elif ranged.sum() == 1:
        axes.vlines(x[ranged], low[ranged], high[ranged], color=colour, alpha=0.4, linewidth=5)
    else:
        axes.fill_between(x, low, high, where=ranged, color=colour, alpha=0.16, linewidth=0)
    for repeat in band.repeats if len(band.repeats) > 1 else ():
        values = np.array(repeat, float)
        seen = np.isfinite(values)
        style = {"color": colour, "alpha": 0.45, "linewidth": 0.8}
        if shift is not None:
            style |= {"linestyle": "none", "marker": ".", "markersize": 5}
        elif seen.sum() == 1:
            style["marker"] = "."
        axes.plot(x[: len(values)][seen], values[seen], **style)
    axes.plot(
        x[known],
        mean[known],
        linestyle=_STYLES[cycle % len(_STYLES)],
        marker=_MARKERS[(place + 2 * cycle) % len(_MARKERS)],
        color=colour,
        markeredgecolor="white",
        markeredgewidth=0.6,
        markersize=6,
        label=_wrapped(band.name),
    )
