"""Where matplotlib figures begin and end: one style, no global state, whole files."""

import contextlib
import os
from collections.abc import Iterator

from mrcnn_al.files import replacing
from mrcnn_al.report.palette import GRID, INK, MUTED

DOTS_PER_INCH = 160

_STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "ytick.left": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.0,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@contextlib.contextmanager
def drawing(path: str | os.PathLike, width: float = 8.4, height: float = 4.0) -> Iterator:
    """Yields an empty matplotlib figure and saves it as `path`, a PNG, atomically.

    Args:
        path: of the PNG.
        width: inches.
        height: inches.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        with replacing(path) as temporary:
            figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH)


def legend_beside(axes, reverse: bool = False) -> None:
    """Names the series to the right of the axes, where nothing is hidden."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.0, reverse=reverse)


def legend_below(figure, axes, columns: int = 3) -> None:
    """Names the series below the axes, bars first, for figures too narrow for names beside."""
    from matplotlib.container import BarContainer

    entries = list(zip(*axes.get_legend_handles_labels(), strict=True))
    entries.sort(key=lambda entry: not isinstance(entry[0], BarContainer))
    if entries:
        figure.legend(*zip(*entries, strict=True), loc="outside lower center", ncols=columns)


def whole_numbers(axis) -> None:
    """Lets an axis of counts have no ticks between the whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
