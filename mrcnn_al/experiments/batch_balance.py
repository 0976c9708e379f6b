"""How evenly batches show the classes (figure 5.7; 6.1 and 6.2 of the thesis are about it)."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mrcnn_al.comparison.plan import Plan
from mrcnn_al.comparison.statistics import mean_interval
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.datasets.base import Dataset
from mrcnn_al.datasets.subsets import open_subset
from mrcnn_al.report.comparison_page import Band, Chart
from mrcnn_al.run_store import RunStore

# Name of the arm to, for each repeat and each iteration, images of each class in the batch.
Compositions = Mapping[str, tuple[tuple[np.ndarray, ...], ...]]


def evenness(counts: Sequence[int] | np.ndarray) -> float:
    """The entropy of the classes' shares over that of equal shares (Pielou 1966).

    Args:
        counts: of each of the classes, at least two.

    Returns:
        1 where all are shown equally often, 0 where one alone is; NaN where none is.
    """
    counts = np.asarray(counts, np.float64)
    if not counts.sum():
        return float("nan")
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum() / np.log(len(counts))) + 0.0


def class_counts(dataset: Dataset, image_ids: Sequence[str]) -> np.ndarray:
    """How many of the images show each class, int64 [classes]; crowds do not count."""
    counts = np.zeros(len(dataset.class_names), np.int64)
    for image_id in image_ids:
        found = dataset.annotations(image_id)
        counts[np.unique(found.class_ids[~found.crowd]) - 1] += 1
    return counts


def read_compositions(
    folder: str | os.PathLike, plan: Plan, cache: str | os.PathLike
) -> tuple[tuple[str, ...], Compositions]:
    """What the batches of a comparison were made of, by the ground truth.

    Args:
        folder: of the comparison.
        plan: of it.
        cache: of the image sets.

    Returns:
        The names of the classes; the compositions.
    """
    store, run = ComparisonStore(folder), plan.config(plan.arms[0]).run
    # The split differs from repeat to repeat, the images do not.
    dataset = open_subset(
        run.subset, run.data, cache, run.seed, run.skip_broken, run.labelled, run.scale
    ).dataset
    found = {
        arm.name: tuple(
            _batches(dataset, store.run_folder(repeat, arm.name)) for repeat in range(plan.repeats)
        )
        for arm in plan.arms
    }
    return tuple(dataset.class_names), found


def balance_chart(compositions: Compositions) -> Chart:
    """Evenness of the batches over the iterations, one line an arm."""
    bands = [
        _band(name, [[evenness(counts) for counts in batches] for batches in repeats])
        for name, repeats in compositions.items()
    ]
    caption = "The entropy of the classes' shares in a batch; 1: all are shown equally often."
    return Chart("Balance of the batches", "iteration", "evenness", tuple(bands), caption=caption)


def composition_charts(classes: Sequence[str], compositions: Compositions) -> tuple[Chart, ...]:
    """Images of each class in the batch over the iterations, one chart an arm."""
    charts = []
    for name, repeats in compositions.items():
        bands = [
            _band(of_class, [[float(counts[index]) for counts in batches] for batches in repeats])
            for index, of_class in enumerate(classes)
        ]
        charts.append(Chart(f"Batches of {name}", "iteration", "images", tuple(bands)))
    return tuple(charts)


def _batches(dataset: Dataset, folder: Path) -> tuple[np.ndarray, ...]:
    written = [files for files in RunStore(folder).iterations() if files.batch_path.exists()]
    batches = [files.read_batch().image_ids for files in written]
    return tuple(class_counts(dataset, image_ids) for image_ids in batches if image_ids)


def _band(name: str, repeats: Sequence[Sequence[float]]) -> Band:
    length = max(map(len, repeats), default=0)
    columns = [[values[i] for values in repeats if i < len(values)] for i in range(length)]
    found = [mean_interval([v for v in column if np.isfinite(v)]) for column in columns]
    return Band(
        name,
        tuple(float(number) for number in range(1, length + 1)),
        tuple(interval.mean for interval in found),
        tuple(interval.low for interval in found),
        tuple(interval.high for interval in found),
        tuple(tuple(values) for values in repeats),
    )
