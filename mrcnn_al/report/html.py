"""The report of a run: one HTML file that needs nothing else."""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from mrcnn_al.evaluation.learning_curve import CurvePoint, area_under_curve
from mrcnn_al.files import write_text
from mrcnn_al.report import figures
from mrcnn_al.report.run_record import IterationRecord, RunRecord, read_run


@dataclass(frozen=True)
class Picture:
    """A PNG inside the HTML.

    Attributes:
        caption: below it, and read out where it cannot be seen.
        source: data URI.
    """

    caption: str
    source: str


def write_report(run_folder: str | os.PathLike) -> Path:
    """Writes report.html into the folder of a run, and its figures into figures/.

    Works on a run in progress: what does not exist yet is left out. Pictures of single images
    named figures/iteration_NNN_<caption>.png are shown with their iteration.

    Returns:
        The path of report.html.

    Raises:
        UserError: the folder does not exist, or a file in it is broken.
    """
    import jinja2

    folder = Path(run_folder)
    run = read_run(folder)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"metric": _metric, "duration": _duration, "thousands": _thousands}
    template = resources.files("mrcnn_al.report").joinpath("report.html.j2")
    page = environment.from_string(template.read_text(encoding="utf-8")).render(
        run=run,
        tiles=_tiles(run),
        rows=_table_rows(run),
        last=next((i for i in reversed(run.iterations) if i.metrics), None),
        sections=_draw_sections(run, folder / "figures"),
        sheets=_sheets(run.iterations, folder / "figures"),
    )
    path = folder / "report.html"
    write_text(path, page)
    return path


def _tiles(run: RunRecord) -> list[tuple[str, str]]:
    """The headline numbers, each with its name."""
    if not run.curve:
        return []
    last = run.curve[-1]
    tiles = [
        ("AP", _metric(last.AP)),
        ("AP50", _metric(last.AP50)),
        ("labelled images", _thousands(last.labelled_images)),
        ("labelled instances", _thousands(last.labelled_instances)),
        ("area under AP", _metric(_area(run.curve))),
    ]
    if "unlabelled" in run.pool:
        tiles.append(("unlabelled images", _thousands(len(run.pool["unlabelled"]))))
    return tiles


def _area(curve: Sequence[CurvePoint]) -> float | None:
    """Of AP over labelled images; None where these do not grow, as when batches are replaced."""
    known = [(point.labelled_images, point.AP) for point in curve if point.AP is not None]
    try:
        return area_under_curve([x for x, _ in known], [y for _, y in known])
    except ValueError:
        return None


def _table_rows(run: RunRecord) -> list[tuple[CurvePoint, float | None]]:
    """Each point of the curve and the seconds its iteration took."""
    seconds = {i.number: sum(i.seconds.values()) for i in run.iterations if i.seconds}
    return [(point, seconds.get(point.iteration)) for point in run.curve]


def _draw_sections(run: RunRecord, folder: Path) -> dict[str, list[Picture]]:
    """Draws what there is data for: heading to pictures."""
    sections: dict[str, list[Picture]] = {}

    def add(heading: str, name: str, caption: str, draw, *data: Any) -> None:
        path = folder / f"{name}.png"
        draw(path, *data)
        sections.setdefault(heading, []).append(_picture(path, caption))

    if run.curve:
        add(
            "Learning curve",
            "learning_curve",
            "COCO mAP on the test split over the labelled images",
            figures.draw_learning_curves,
            {run.setting("strategy", "name"): run.curve},
        )
    reasons = _by_number(run.iterations, "reasons")
    if reasons:
        add(
            "Queried batches",
            "batch_composition",
            "Why the images of each batch were chosen",
            figures.draw_batch_composition,
            reasons,
        )
    for iteration in run.iterations:
        if any(row.passes for row in iteration.rows):
            add(
                "Mask uncertainty of the unlabelled images",
                f"uncertainty_{iteration.number:03d}",
                f"Iteration {iteration.number}",
                figures.draw_uncertainty_histogram,
                iteration.rows,
                iteration.zones,
            )
    histories = _by_number(run.iterations, "history")
    if histories:
        add("Losses", "losses", "Losses in training", figures.draw_losses, histories)
    seconds = _by_number(run.iterations, "seconds")
    if seconds:
        add("Time", "seconds", "Where the time went", figures.draw_seconds, seconds)
    return sections


def _by_number(iterations: Sequence[IterationRecord], attribute: str) -> dict[int, Any]:
    values = {iteration.number: getattr(iteration, attribute) for iteration in iterations}
    return {number: value for number, value in values.items() if value}


def _sheets(iterations: Sequence[IterationRecord], folder: Path) -> Mapping[int, Sequence[Picture]]:
    """The pictures of single images by iteration."""
    sheets = {}
    for iteration in iterations:
        prefix = f"iteration_{iteration.number:03d}_"
        pictures = [
            _picture(path, path.stem.removeprefix(prefix).replace("_", " "))
            for path in sorted(folder.glob(f"{prefix}*.png"))
        ]
        if pictures:
            sheets[iteration.number] = pictures
    return sheets


def _picture(path: Path, caption: str) -> Picture:
    encoded = base64.b64encode(path.read_bytes()).decode()
    return Picture(caption, f"data:image/png;base64,{encoded}")


def _metric(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _thousands(value: int) -> str:
    return f"{value:,}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
