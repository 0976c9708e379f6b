"""The thesis's own study of the number of passes: what it ran and what it found."""

from dataclasses import replace
from pathlib import Path

from mrcnn_al.comparison.plan import Plan
from mrcnn_al.experiments.passes_ranking import PassesResult
from mrcnn_al.experiments.plans import Choices, build_plan
from mrcnn_al.experiments.table import EXPERIMENTS
from mrcnn_al.report.comparison_page import (
    Band,
    Chart,
    ComparisonPage,
    Reference,
    ReportedPoint,
    Table,
    draw_chart,
    write_comparison_page,
)

STUDY_SUBSET = "coco5"
STUDY_IMAGES = 1_500
STUDY_TOP = 200
STUDY_REFERENCE = 100
# Of 25 the thesis gives no number.
REPORTED = {5: 0.75, 10: 0.845, 15: 0.87, 20: 0.865, 25: None, 30: 0.88}
TRAINED_AS, TRAINED_ARM = "fig5.14", "random"


def training_plan(choices: Choices) -> Plan:
    """Trains the model of the study where none is given.

    The thesis says that it is of subset 5, not how it was trained: it is the model that the
    random line of figure 5.14 ends with.

    Raises:
        UserError: as `build_plan`.
    """
    experiment = EXPERIMENTS[TRAINED_AS]
    arms = tuple(arm for arm in experiment.arms if arm.name == TRAINED_ARM)
    experiment = replace(experiment, arms=arms, reported=())
    return replace(build_plan(experiment, replace(choices, repeats=1)), full_data=False)


def study_top(images: int) -> int:
    """How many of the images are the most uncertain, in the thesis's proportion."""
    return max(1, (2 * STUDY_TOP * images + STUDY_IMAGES) // (2 * STUDY_IMAGES))


def overlap_table(result: PassesResult) -> Table:
    """Ours beside the thesis's."""
    rows = []
    for overlap in result.overlaps:
        reported = REPORTED.get(overlap.passes)
        rows.append(
            (
                str(overlap.passes),
                _percent(reported),
                _percent(overlap.independent),
                _percent(overlap.prefix),
                _percent(overlap.detected_only),
                str(overlap.undetected),
            )
        )
    columns = (
        "passes",
        "thesis",
        "here",
        f"first of the {result.reference}",
        "images with detections only",
        "images without detections",
    )
    note = (
        f"Share of the {result.top} images that are the most uncertain by {result.reference} "
        f"passes, of {result.images}, which are so by T passes, too. By chance it would be "
        f"{_percent(result.top / result.images)}. Images without a detection rank on top; by "
        f"{result.reference} passes there are {result.undetected}."
    )
    return Table("Overlap", columns, tuple(rows), note)


def overlap_chart(result: PassesResult) -> Chart:
    """Overlap over the number of passes, with the thesis's values."""
    unknown = (float("nan"),) * len(result.overlaps)
    x = tuple(float(overlap.passes) for overlap in result.overlaps)
    lines = {
        "independent passes": tuple(overlap.independent for overlap in result.overlaps),
        f"the first of the {result.reference}": tuple(o.prefix for o in result.overlaps),
    }
    return Chart(
        heading="Overlap of the most uncertain images",
        x_label="passes",
        y_label=f"overlap with {result.reference} passes",
        bands=tuple(Band(name, x, values, unknown, unknown) for name, values in lines.items()),
        references=(Reference("by chance", result.top / result.images),),
        reported=tuple(
            ReportedPoint("thesis", float(passes), share)
            for passes, share in REPORTED.items()
            if share is not None and passes in x
        ),
        caption=(
            f"How many of the {result.top} most uncertain of {result.images} images T passes "
            f"and {result.reference} have in common, by mask uncertainty."
        ),
    )


def write_passes(folder: Path, result: PassesResult, model: str) -> Path:
    """Writes passes.png and passes.html; returns the page's path.

    Args:
        folder: of the study.
        result: what it found.
        model: what was used, for people.
    """
    chart = overlap_chart(result)
    draw_chart(folder / "passes.png", chart)
    page = ComparisonPage(
        "Number of passes",
        f"{result.images} images, ranked by {model}.",
        (chart,),
        (overlap_table(result),),
    )
    return write_comparison_page(folder / "passes.html", page)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
