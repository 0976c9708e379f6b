"""What it takes to compose a batch from a large pool.

python benchmarks/queries.py
python benchmarks/queries.py --rows 0 --images 100000 --features 1024 --batch 400
python benchmarks/queries.py --images 0 --modifier balanced

Prints one JSON line: of each strategy the seconds on the clock and of the processor, medians of
the rounds, which are interleaved; and the peak memory of the process. Core-set, once, is in a
process of its own, with its own peak.
"""

import json
import multiprocessing
import os
import resource
import statistics
import time

import click
import numpy as np

from mrcnn_al.strategies import ImageFeatures, make_strategy, strategy_names
from mrcnn_al.uncertainty.score_row import SCORE_COLUMNS, ScoreRow

NAMES = ("seconds", "processor_seconds")


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="Score rows, 0 for none.")
@click.option("--images", default=100_000, show_default=True, help="For core-set, 0 for none.")
@click.option("--features", default=1024, show_default=True, help="Numbers an image for core-set.")
@click.option("--labelled", default=1000, show_default=True, help="Labelled images for core-set.")
@click.option("--batch", default=40, show_default=True)
@click.option("--rounds", default=5, show_default=True, help="Of all strategies but core-set.")
@click.option("--modifier", "modifiers", multiple=True, help="balanced, skip_undetected, shuffle.")
def main(rows, images, features, labelled, batch, rounds, modifiers):
    """Measures on made-up scores in a random order of image ids."""
    options = dict.fromkeys(modifiers, True)
    result = {"rows": rows, "batch": batch, "rounds": rounds, "options": options}
    if images:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            core_set = pool.apply(measure_core_set, (images, features, labelled, batch))
        result["core_set"] = {"images": images, "features": features, "labelled": labelled}
        result["core_set"] |= core_set
    if rows:
        result["strategies"] = measure_ranking(make_rows(rows), batch, rounds, options)
    click.echo(json.dumps(result | {"peak_mib": peak_mib(), "cores": os.cpu_count()}))


def measure_ranking(pool, batch, rounds, options):
    """Every strategy that needs scores or nothing."""
    strategies = {name: make_strategy(name, **options) for name in strategy_names()}
    found = {name: [] for name, strategy in strategies.items() if not strategy.uses_features}
    for _ in range(rounds):
        for name, times in found.items():
            times.append(measure(strategies[name], pool, batch))
    return {name: dict(zip(NAMES, medians(times), strict=True)) for name, times in found.items()}


def medians(times):
    return [round(statistics.median(values), 2) for values in zip(*times, strict=True)]


def measure_core_set(images, features, labelled, batch):
    """One query; the peak includes the features themselves."""
    values = np.random.default_rng(0).random((images + labelled, features), np.float32)
    image_ids = tuple(f"{index:09d}" for index in range(images + labelled))
    pool = [ScoreRow(image_id) for image_id in image_ids[:images]]
    given = ImageFeatures(image_ids, values)
    times = measure(make_strategy("core-set"), pool, batch, features=given)
    return dict(zip(NAMES, medians([times]), strict=True)) | {"peak_mib": peak_mib()}


def peak_mib():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def make_rows(count):
    """One in fifty without detections, the others with one or two of ten classes."""
    rng = np.random.default_rng(0)
    numbers = [name for name in SCORE_COLUMNS if name.startswith(("least", "entropy", "margin"))]
    numbers += [name for name in SCORE_COLUMNS if name.startswith("maskal")]
    rows = []
    for index in rng.permutation(count).tolist():
        if index % 50 == 0:
            rows.append(ScoreRow(f"{index:012d}", passes=10))
            continue
        classes = sorted({1 + index % 10, 1 + index % 7})
        rows.append(
            ScoreRow(
                f"{index:012d}",
                detections=rng.integers(1, 600) / 10,
                detected_passes=10,
                mask=rng.random() * 1000,
                mask_by_class=tuple((class_id, 1.0) for class_id in classes),
                passes=10,
                **dict(zip(numbers, rng.random(len(numbers)).tolist(), strict=True)),
            )
        )
    return rows


def measure(strategy, rows, batch, **options):
    """Seconds of one query, on the clock and of the processor."""
    begin = time.perf_counter(), time.process_time()
    query = strategy.query(rows, batch, np.random.default_rng(0), **options)
    end = time.perf_counter(), time.process_time()
    assert len(query.image_ids) == batch
    return tuple(e - b for b, e in zip(begin, end, strict=True))


if __name__ == "__main__":
    main()
