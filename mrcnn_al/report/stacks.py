"""Stacked bars, one for each iteration."""

import math
import os
from collections.abc import Mapping, Sequence

import numpy as np

from mrcnn_al.report.canvas import drawing, legend_below, legend_beside, whole_numbers


def draw_stacks(
    path: str | os.PathLike,
    iterations: Sequence[int],
    heights: Mapping[str, Sequence[float]],
    colours: Sequence,
    unit: str,
    narrow: bool = False,
) -> None:
    """Draws parts of a whole over the iterations.

    Args:
        path: of the PNG.
        iterations: ascending, at least one.
        heights: name of a part to its size in each iteration, lowest part first.
        colours: of the parts; they begin again where there are more parts.
        unit: of the heights; of images and instances there are none between whole numbers.
        narrow: for half the width of a page, the legend below.
    """
    size = {"width": 4.8, "height": 2.9 + 0.2 * math.ceil(len(heights) / 3)} if narrow else {}
    with drawing(path, **size) as figure:
        axes = figure.add_subplot()
        base = np.zeros(len(iterations))
        for index, (label, values) in enumerate(heights.items()):
            colour = colours[index % len(colours)]
            axes.bar(iterations, values, 0.7, base, label=label, color=colour, edgecolor="white")
            base += values
        # One bar alone would fill the axes.
        axes.set(xlabel="iteration", ylabel=unit, xlim=(0.5, max(*iterations, 4) + 0.5))
        whole_numbers(axes.xaxis)
        if unit.endswith(("images", "instances")):
            whole_numbers(axes.yaxis)
        if narrow:
            legend_below(figure, axes)
        elif heights:
            # Read from the top, like the stack.
            legend_beside(axes, reverse=True)
