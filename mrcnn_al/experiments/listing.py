"""The table of all experiments, for people."""

from collections.abc import Iterable, Sequence

from mrcnn_al.datasets.subset_table import SUBSETS
from mrcnn_al.experiments.experiment import Experiment
from mrcnn_al.experiments.passes_study import (
    REPORTED,
    STUDY_IMAGES,
    STUDY_REFERENCE,
    STUDY_SUBSET,
    STUDY_TOP,
)
from mrcnn_al.experiments.sizes import fit_sizes, image_steps
from mrcnn_al.experiments.table import EXPERIMENTS

COLUMNS = ("experiment", "subset", "what", "lines", "labelled images", "turns", "image-steps")
THESIS_REPEATS = 3
_STARTS = {None: "scratch and COCO weights", "none": "scratch", "imagenet": "ImageNet weights"}


def list_rows(scale: float | None = None, repeats: int = THESIS_REPEATS) -> list[tuple[str, ...]]:
    """One row for each experiment, in the order of the thesis, as COLUMNS says.

    Args:
        scale: smaller sets, see `SubsetRow.scaled`; as a number of training images it must be
            within every subset.
        repeats: of the work.

    Raises:
        UserError: the scale is out of range.
    """
    rows = []
    for experiment in EXPERIMENTS.values():
        sizes = fit_sizes(experiment, scale=scale)
        last = sizes.labelled_at(sizes.iterations)
        rows.append(
            (
                experiment.name,
                experiment.subset,
                experiment.title,
                str(len(experiment.arms)),
                f"{sizes.labelled:,} + {sizes.batch:,} to {last:,} of {sizes.train:,}",
                f"{sizes.iterations} × {experiment.epochs}",
                _rounded(repeats * image_steps(experiment, sizes)),
            )
        )
    what = (
        f"Passes: overlap of the most uncertain, T = {_joined(REPORTED)} against {STUDY_REFERENCE}"
    )
    images = f"{STUDY_IMAGES:,} scored"
    rows.append(("passes", STUDY_SUBSET, what, "1", images, "–", "–"))
    return rows


def as_text(rows: Sequence[Sequence[str]], columns: Sequence[str] = COLUMNS) -> str:
    """Aligned columns for a terminal."""
    lines = [tuple(columns), *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    padded = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def as_markdown() -> str:
    """All experiments with their commands and what the thesis reported, as in the documentation."""
    lines = [
        "| experiment | what, subset, start | command | the thesis reported |",
        "|---|---|---|---|",
    ]
    for experiment in EXPERIMENTS.values():
        what = (
            f"{experiment.title}. {experiment.subset}, {_STARTS[experiment.weights]}, "
            f"{experiment.iterations} × {experiment.epochs} epochs, batches of "
            f"{experiment.batch:,} from {experiment.labelled:,} on: {_names(experiment)}."
        )
        if experiment.reading:
            what += f" *{experiment.reading}*"
        command = f"`mrcnn-al reproduce {experiment.name} --data {_data(experiment.subset)}`"
        lines.append(f"| {experiment.name} | {what} | {command} | {experiment.finding} |")
    shares = ", ".join(
        f"{'–' if share is None else f'{100 * share:g} %'} ({passes})"
        for passes, share in REPORTED.items()
    )
    lines.append(
        f"| passes | Number of passes: how many of the {STUDY_TOP} most uncertain of "
        f"{STUDY_IMAGES:,} images T passes have in common with {STUDY_REFERENCE}. {STUDY_SUBSET} | "
        f"`mrcnn-al reproduce passes --data {_data(STUDY_SUBSET)}` | {shares}. |"
    )
    return "\n".join(lines) + "\n"


def _data(subset: str) -> str:
    return "coco2017/" if SUBSETS[subset].source == "coco" else "stage1_train.zip"


def _names(experiment: Experiment) -> str:
    return ", ".join(arm.name for arm in experiment.arms)


def _joined(values: Iterable[int]) -> str:
    return ", ".join(map(str, values))


def _rounded(number: int) -> str:
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit:
            return f"{number / unit:.3g} {name}"
    return str(number)
