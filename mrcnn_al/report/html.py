"""The report of a run: one HTML file that needs nothing else."""

import os
from collections.abc import Sequence
from pathlib import Path

from mrcnn_al.evaluation.learning_curve import CurvePoint, area_under_curve
from mrcnn_al.report.page import Page, write_page
from mrcnn_al.report.run_record import RunRecord, read_run
from mrcnn_al.report.run_sections import run_sections
from mrcnn_al.report.wording import metric_text, thousands

_FACTS = (
    *(("subset", "run", "subset"), ("strategy", "strategy", "name")),
    *(("learner", "run", "learner"), ("preset", "run", "preset_name"), ("seed", "run", "seed")),
)


def write_report(run_folder: str | os.PathLike) -> Path:
    """Writes report.html into the folder of a run, and its figures into figures/.

    Works on a run in progress: what does not exist yet is left out. Pictures of single images
    named figures/iteration_NNN_<caption>.png are shown with their iteration.

    Returns:
        The path of report.html.

    Raises:
        UserError: the folder does not exist, or a file in it is broken.
    """
    folder = Path(run_folder)
    run = read_run(folder)
    settings = ((name, run.setting(section, field)) for name, section, field in _FACTS)
    facts = [(name, str(value)) for name, value in settings if value is not None]
    page = Page(
        title=run.name,
        summary="" if run.curve else "No iteration has been evaluated yet.",
        facts=(*facts, ("iterations", str(len(run.curve)))),
        tiles=_tiles(run),
        sections=run_sections(run, folder / "figures"),
    )
    path = folder / "report.html"
    write_page(path, page)
    return path


def _tiles(run: RunRecord) -> tuple[tuple[str, str], ...]:
    """The headline numbers, each with its name."""
    if not run.curve:
        return ()
    last = run.curve[-1]
    tiles = [
        ("AP", metric_text(last.AP)),
        ("AP50", metric_text(last.AP50)),
        ("labelled images", thousands(last.labelled_images)),
        ("labelled instances", thousands(last.labelled_instances)),
        ("area under AP", metric_text(_area(run.curve))),
    ]
    if "unlabelled" in run.pool:
        tiles.append(("unlabelled images", thousands(len(run.pool["unlabelled"]))))
    return tuple(tiles)


def _area(curve: Sequence[CurvePoint]) -> float | None:
    """Of AP over labelled images; None where these do not grow, as when batches are replaced."""
    known = [(point.labelled_images, point.AP) for point in curve if point.AP is not None]
    try:
        return area_under_curve([x for x, _ in known], [y for _, y in known])
    except ValueError:
        return None
