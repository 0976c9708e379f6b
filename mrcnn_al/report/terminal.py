"""Learning curves drawn with characters."""

import itertools
import shutil
from collections.abc import Mapping, Sequence

from mrcnn_al.evaluation.learning_curve import CurvePoint

# Filled marks are AP, hollow ones AP50.
_MARKS = {True: ("●■▲◆★", "○□△◇☆"), False: ("XO#%&", "xo=+@")}
_LINES = {True: ("│", "┤", "└", "─", "┬", "·"), False: ("|", "+", "+", "-", "+", ".")}
_MINIMUM_WIDTH = 40
_LABEL = 6


def draw_learning_curves(
    curves: Mapping[str, Sequence[CurvePoint]],
    width: int | None = None,
    height: int = 17,
    unicode: bool = True,
) -> str:
    """AP and AP50 over the labelled images, with a table of the numbers below.

    Args:
        curves: name to its points, one entry per run.
        width: characters in a line, at least 40; by default those of the terminal.
        height: lines of the plot itself, at least 5.
        unicode: whether marks and lines may be other than ASCII.

    Returns:
        Lines joined by line feeds, none longer than `width`.
    """
    width = max(_MINIMUM_WIDTH, width or shutil.get_terminal_size().columns)
    filled, hollow = _MARKS[unicode]
    series, legend = [], []
    for index, (name, points) in enumerate(curves.items()):
        solid, open_mark = filled[index % len(filled)], hollow[index % len(hollow)]
        legend.append(_clip(f"{solid} AP  {open_mark} AP50  {name}", width))
        # The headline number is drawn last, on top.
        for metric, mark in (("AP50", open_mark), ("AP", solid)):
            line = [(point.labelled_images, getattr(point, metric)) for point in points]
            series.append((mark, [(x, y) for x, y in line if y is not None]))
    if not any(points for _, points in series):
        plot = ["No iteration has been evaluated yet."]
    else:
        plot = _plot(series, width, height, _LINES[unicode])
    table = _table(curves, width)
    return "\n".join([*plot, *legend, *([""] if table else []), *table])


def _plot(series, width: int, height: int, characters) -> list[str]:
    bar, tick, corner, horizontal, tick_below, dot = characters
    columns = width - _LABEL - 1
    xs = [x for _, points in series for x, _ in points]
    left, right = min(xs), max(xs)
    top = _ceiling(max(y for _, points in series for _, y in points))

    def cell(x: float, y: float) -> tuple[int, int]:
        across = 0.5 if right == left else (x - left) / (right - left)
        return round((1 - y / top) * (height - 1)), round(across * (columns - 1))

    grid = [[" "] * columns for _ in range(height)]
    for _, points in series:
        for first, second in itertools.pairwise(points):
            _connect(grid, cell(*first), cell(*second), dot)
    for mark, points in series:
        for point in points:
            row, column = cell(*point)
            grid[row][column] = mark

    lines = []
    label_rows = {round(quarter * (height - 1) / 4) for quarter in range(5)}
    for row, content in enumerate(grid):
        labelled = row in label_rows
        label = f"{top * (1 - row / (height - 1)):.2f}" if labelled else ""
        lines.append(f"{label:>{_LABEL - 1}} {tick if labelled else bar}{''.join(content)}")
    ends = sorted({cell(x, 0)[1] for x in (left, right)})
    axis = "".join(tick_below if i in ends else horizontal for i in range(columns))
    lines.append(" " * _LABEL + corner + axis)
    lines.append(" " * (_LABEL + 1) + _axis_labels(left, right, columns))
    return [line.rstrip() for line in lines]


def _connect(grid: list[list[str]], start: tuple[int, int], end: tuple[int, int], dot: str) -> None:
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    # Every other cell: a line of dots that leaves the marks readable.
    for step in range(2, steps, 2):
        row = round(start[0] + (end[0] - start[0]) * step / steps)
        column = round(start[1] + (end[1] - start[1]) * step / steps)
        grid[row][column] = dot


def _ceiling(highest: float) -> float:
    """The upper end of the axis: the next tenth, so that labels are round."""
    rounded = round(highest, 9)
    return next((tenth / 10 for tenth in range(1, 10) if rounded <= tenth / 10), 1.0)


def _axis_labels(left: float, right: float, columns: int) -> str:
    if left == right:
        return f"{left} labelled images".center(columns)
    middle = "labelled images".center(columns - len(str(left)) - len(str(right)))
    return f"{left}{middle}{right}"


def _table(curves: Mapping[str, Sequence[CurvePoint]], width: int) -> list[str]:
    lines = []
    for name, points in curves.items():
        if not points:
            continue
        if len(curves) > 1:
            lines.append(_clip(name, width))
        lines.append(f"{'iteration':>9} {'images':>7} {'instances':>9} {'AP':>5} {'AP50':>5}")
        lines += [
            f"{point.iteration:>9} {point.labelled_images:>7} {point.labelled_instances:>9}"
            f" {_number(point.AP)} {_number(point.AP50)}"
            for point in points
        ]
    return lines


def _number(value: float | None) -> str:
    return f"{'-' if value is None else format(value, '.3f'):>5}"


def _clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
