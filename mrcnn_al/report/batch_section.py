"""The section on what was queried: why, from which zones, of which classes."""

from collections.abc import Sequence
from pathlib import Path

from mrcnn_al.report import batch_figures
from mrcnn_al.report.page import Section, Table, embedded
from mrcnn_al.report.run_record import IterationRecord, RunRecord
from mrcnn_al.report.wording import signed_text, thousands
from mrcnn_al.uncertainty.score_row import ScoreRow

_MOST_CLASS_COLUMNS = 10


def batch_section(run: RunRecord, folder: Path) -> Section | None:
    """The section, its figures drawn into `folder`; None before the first query."""
    queried = [i for i in run.iterations if i.batch]
    if not queried:
        return None
    pictures = []

    def add(name: str, caption: str, draw, *data) -> None:
        draw(folder / f"{name}.png", *data)
        pictures.append(embedded(folder / f"{name}.png", caption))

    add(
        "batch_composition",
        "Why the images of each batch were chosen",
        batch_figures.draw_batch_composition,
        {i.number: i.reasons for i in queried},
    )
    zones = {i.number: [i.zones.get(name, "") for name in i.batch] for i in queried}
    if any(map(any, zones.values())):
        caption = "The zone of each queried image, whatever it was chosen for"
        add("batch_zones", caption, batch_figures.draw_batch_zones, zones)
    labelled = [i for i in queried if i.instances]
    if not labelled:
        return Section("Queried batches", pictures=tuple(pictures))

    names = labelled[-1].class_names
    images = {i.number: batch_figures.images_per_class(i.instances, len(names)) for i in labelled}
    instances = {
        i.number: batch_figures.instances_per_class(i.instances, len(names)) for i in labelled
    }
    if len(names) > 1:
        caption = "Queried images that show each class, by the oracle's labels"
        add("batch_classes", caption, batch_figures.draw_batch_classes, names, images, "images")
    rows = {i.number: _rows_of_batch(i) for i in queried}
    if len(names) > 1 and any(row.passes for chosen in rows.values() for row in chosen):
        predicted = {
            number: batch_figures.predictions_per_class(chosen, len(names))
            for number, chosen in rows.items()
        }
        caption = "Queried images in which the model had found each class, in any pass"
        draw = batch_figures.draw_batch_classes
        add("batch_predicted_classes", caption, draw, names, predicted, "images")
    caption = "Instances that the oracle labelled: what the batch cost"
    draw = batch_figures.draw_batch_classes
    add("batch_instances", caption, draw, names, instances, "instances")
    return Section(
        "Queried batches",
        introduction=_imbalance(labelled, images, names),
        pictures=tuple(pictures),
        tables=(_batch_table(run, labelled, images, instances, names),),
    )


def _rows_of_batch(iteration: IterationRecord) -> list[ScoreRow]:
    batch = set(iteration.batch)
    return [row for row in iteration.rows if row.image_id in batch]


def _imbalance(labelled: Sequence[IterationRecord], images, names) -> str:
    """Which batch leans most to one class."""
    if len(names) < 2:
        return ""

    def spread(iteration: IterationRecord) -> float:
        counts = images[iteration.number]
        return (max(counts) - min(counts)) / len(iteration.instances)

    most = max(labelled, key=spread)
    counts, size = images[most.number], len(most.instances)
    if max(counts) == min(counts):
        return "Each batch shows all classes in equally many images."
    return (
        f"The batch that leans most to one class is that of iteration {most.number}: "
        f"{max(counts)} of its {size} images show {names[counts.index(max(counts))]}, "
        f"{min(counts)} show {names[counts.index(min(counts))]}."
    )


def _batch_table(run, labelled, images, instances, names) -> Table:
    """An unbalanced batch can show as a drop in the iteration after it (figures 6.1 and 6.2)."""
    quality = {point.iteration: point.AP for point in run.curve}
    shown = names if 1 < len(names) <= _MOST_CLASS_COLUMNS else ()

    def change(number: int) -> str:
        before, after = quality.get(number), quality.get(number + 1)
        return "–" if None in (before, after) else signed_text(after - before)

    rows = tuple(
        (
            *(str(i.number), thousands(len(i.instances)), thousands(sum(instances[i.number]))),
            *(thousands(count) for count in images[i.number][: len(shown)]),
            change(i.number),
        )
        for i in labelled
    )
    columns = ("iteration", "images", "instances", *shown, "change of AP after it")
    note = "Under each class stand the images that show it; an image can show several."
    return Table("What the batches held", columns, rows, note if shown else "")
