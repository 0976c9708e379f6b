"""The sections of a run's report, and the figures in them; what has no data is left out."""

from pathlib import Path

from mrcnn_al.report import figures
from mrcnn_al.report.batch_section import batch_section
from mrcnn_al.report.histogram import draw_uncertainty_histogram
from mrcnn_al.report.page import Group, Picture, Section, Table, embedded
from mrcnn_al.report.pseudo_section import pseudo_section
from mrcnn_al.report.run_record import RunRecord
from mrcnn_al.report.wording import duration, metric_text, thousands

_SHEETS = {
    "most_uncertain": "Most uncertain: image {}, the masks of each pass and their variance",
    "least_uncertain": "Least uncertain: image {}, the masks of each pass and their variance",
    "test": "Test image {}: the detections that are confident enough to count",
}


def run_sections(run: RunRecord, folder: Path) -> tuple[Section, ...]:
    """All sections, in order.

    Args:
        run: what there is to show.
        folder: where figures are written, and where pictures of single images are found.
    """
    makers = (
        *(_curve, _classes, batch_section, _uncertainty, pseudo_section),
        *(_images, _losses, _time),
    )
    sections = [make(run, folder) for make in makers]
    if run.config_text:
        sections.append(Section("Configuration", verbatim=run.config_text))
    return tuple(section for section in sections if section is not None)


def _curve(run: RunRecord, folder: Path) -> Section | None:
    if not run.curve:
        return None
    path = folder / "learning_curve.png"
    figures.draw_learning_curves(path, {str(run.setting("strategy", "name")): run.curve})
    seconds = {i.number: sum(i.seconds.values()) for i in run.iterations if i.seconds}
    columns = ("iteration", "labelled", "instances", "pseudo", "AP", "AP50", "AP75")
    rows = tuple(
        (
            str(p.iteration),
            *map(thousands, (p.labelled_images, p.labelled_instances, p.pseudo_labelled)),
            *map(metric_text, (p.AP, p.AP50, p.AP75, p.APs, p.APm, p.APl)),
            duration(seconds.get(p.iteration)),
        )
        for p in run.curve
    )
    last = run.curve[-1]
    description = (
        f"AP and AP50 over labelled images; at the end AP {metric_text(last.AP)} and AP50 "
        f"{metric_text(last.AP50)} with {last.labelled_images} labelled images."
    )
    return Section(
        "Learning curve",
        pictures=(
            embedded(path, "COCO mAP on the test split over the labelled images", description),
        ),
        tables=(Table("Iterations", (*columns, "APs", "APm", "APl", "time"), rows),),
    )


def _classes(run: RunRecord, folder: Path) -> Section | None:
    last = next((i for i in reversed(run.iterations) if i.metrics.get("per_class")), None)
    if last is None:
        return None
    columns, pixels = ["AP", "AP50"], last.metrics.get("pixels", {})
    values = {name: dict(found) for name, found in last.metrics["per_class"].items()}
    if pixels:
        # Of a learner that tells the class of each pixel.
        columns += ["IoU", "Dice"]
        values = {name: values.get(name, {}) | found for name, found in pixels.items()}
    rows = tuple(
        (name, *(metric_text(found.get(column)) for column in columns))
        for name, found in values.items()
    )
    note = "IoU and Dice are those of the pixels." if pixels else ""
    heading = f"Classes after iteration {last.number}"
    return Section(heading, tables=(Table("", ("class", *columns), rows, note),))


def _uncertainty(run: RunRecord, folder: Path) -> Section | None:
    pictures = []
    for iteration in run.iterations:
        if any(row.passes for row in iteration.rows):
            path = folder / f"uncertainty_{iteration.number:03d}.png"
            threshold = _pseudo_threshold(run, iteration.number)
            draw_uncertainty_histogram(path, iteration.rows, iteration.zones, threshold)
            missing = sum(row.undetected for row in iteration.rows)
            pictures.append(
                embedded(
                    path,
                    f"Iteration {iteration.number}: {len(iteration.rows)} images"
                    + (f", {missing} of them without any detection" if missing else ""),
                )
            )
    if not pictures:
        return None
    introduction = (
        "The images with detections span the scale from 0, the least uncertain, to 100, the most "
        "uncertain."
    )
    return Section("Mask uncertainty of the unlabelled images", introduction, tuple(pictures))


def _pseudo_threshold(run: RunRecord, iteration: int) -> float | None:
    """In pixels, where images below it get pseudo-labels in this iteration."""
    threshold, first = (run.setting("strategy", f"pseudo_{what}") for what in ("threshold", "from"))
    if run.setting("strategy", "name") != "semi" or threshold is None or iteration < (first or 1):
        return None
    return float(threshold)


def _images(run: RunRecord, folder: Path) -> Section | None:
    groups = []
    for iteration in run.iterations:
        prefix = f"iteration_{iteration.number:03d}_"
        pictures = tuple(
            _sheet(path, path.stem.removeprefix(prefix))
            for path in sorted(folder.glob(f"{prefix}*.png"), key=_sheet_order)
        )
        if pictures:
            groups.append(Group(f"Images of iteration {iteration.number}", pictures))
    introduction = (
        "Above each pass stands the number of its detections. The variance is black where all "
        "passes agree and brightest where a mask is in half of them; the number above it is "
        "the mask uncertainty of the image."
    )
    return Section("Images", introduction, groups=tuple(groups)) if groups else None


def _sheet_order(path: Path) -> tuple[int, str]:
    """The most uncertain image first."""
    kinds = [index for index, kind in enumerate(_SHEETS) if f"_{kind}_" in path.name]
    return (kinds or [len(_SHEETS)])[0], path.name


def _sheet(path: Path, name: str) -> Picture:
    for kind, caption in _SHEETS.items():
        if name.startswith(f"{kind}_"):
            return embedded(path, caption.format(name.removeprefix(f"{kind}_")))
    return embedded(path, name.replace("_", " "))


def _losses(run: RunRecord, folder: Path) -> Section | None:
    histories = {i.number: i.history for i in run.iterations if i.history}
    if not histories:
        return None
    figures.draw_losses(folder / "losses.png", histories)
    return Section("Losses", pictures=(embedded(folder / "losses.png", "Losses in training"),))


def _time(run: RunRecord, folder: Path) -> Section | None:
    seconds = {i.number: i.seconds for i in run.iterations if i.seconds}
    if not seconds:
        return None
    path = folder / "seconds.png"
    figures.draw_seconds(path, seconds)
    phases = list(dict.fromkeys(phase for spent in seconds.values() for phase in spent))
    totals = {phase: sum(s.get(phase, 0.0) for s in seconds.values()) for phase in phases}
    whole = sum(totals.values())
    rows = [(p, duration(t), f"{t / whole:.0%}" if whole else "–") for p, t in totals.items()]
    rows.append(("together", duration(whole), ""))
    return Section(
        "Time",
        pictures=(embedded(path, "Where the time went"),),
        tables=(Table("All iterations", ("phase", "time", "share"), tuple(rows)),),
    )
