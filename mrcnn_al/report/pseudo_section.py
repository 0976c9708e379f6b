"""The section on pseudo-labels: whether they are right."""

from pathlib import Path

from mrcnn_al.report.page import Group, Section, Table, embedded
from mrcnn_al.report.pseudo_figures import draw_pseudo_quality, pooled
from mrcnn_al.report.run_record import RunRecord
from mrcnn_al.report.wording import metric_text, thousands


def pseudo_section(run: RunRecord, folder: Path) -> Section | None:
    """The section, its figure drawn into `folder`; None where no truth was hidden."""
    qualities = {i.number: i.pseudo_quality for i in run.iterations if i.pseudo_quality}
    if not qualities:
        return None
    path = folder / "pseudo_quality.png"
    draw_pseudo_quality(path, qualities)
    rows = []
    for number, images in qualities.items():
        labelled = sum(quality.labelled for quality in images)
        panoptic = sum(quality.panoptic_quality for quality in images) / len(images)
        shares = map(metric_text, pooled(images))
        counts = (str(number), thousands(len(images)), thousands(labelled))
        rows.append((*counts, *shares, metric_text(panoptic)))
    columns = ("iteration", "images", "instances", "precision", "recall", "IoU", "panoptic quality")
    sheets = {number: folder / f"pseudo_labels_{number:03d}.png" for number in qualities}
    caption = "Best, median and worst by panoptic quality: image, hidden truth, pseudo-labels"
    return Section(
        "Pseudo-labels",
        "What the model labelled by itself, held against the truth that it has not seen; a "
        "pseudo-label is right where it overlaps an object of its class with an IoU of 0.5 or "
        "more. Those of an iteration are trained on in the next one.",
        (embedded(path, "IoU, precision and recall of the pseudo-labels; each dot an image"),),
        (Table("Pseudo-labels against the hidden truth", columns, tuple(rows)),),
        tuple(
            Group(f"Pseudo-labels of iteration {number}", (embedded(sheet, caption),))
            for number, sheet in sheets.items()
            if sheet.is_file()
        ),
    )
