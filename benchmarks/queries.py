"""What it takes to compose a batch from a large pool.

python benchmarks/queries.py --rows 1000000
python benchmarks/queries.py --images 100000 --features 1024 --batch 400

Prints one JSON line: processor seconds of each strategy, and the peak memory of the process.
"""

import json
import resource
import time

import click
import numpy as np

from mrcnn_al.strategies import ImageFeatures, make_strategy, strategy_names
from mrcnn_al.uncertainty.score_row import SCORE_COLUMNS, ScoreRow


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="Score rows, 0 for none.")
@click.option("--images", default=0, show_default=True, help="Images for core-set.")
@click.option("--features", default=1024, show_default=True, help="Numbers an image for core-set.")
@click.option("--labelled", default=1000, show_default=True, help="Labelled images for core-set.")
@click.option("--batch", default=40, show_default=True)
@click.option("--modifier", "modifiers", multiple=True, help="balanced, skip_undetected, shuffle.")
def main(rows, images, features, labelled, batch, modifiers):
    """Measures on made-up scores in a random order of image ids."""
    options = dict.fromkeys(modifiers, True)
    seconds = {}
    if rows:
        pool = make_rows(rows)
        for name in strategy_names():
            strategy = make_strategy(name, **options)
            if not strategy.uses_features:
                seconds[name] = measure(strategy, pool, batch)
    if images:
        values = np.random.default_rng(0).random((images + labelled, features), np.float32)
        image_ids = tuple(f"{index:09d}" for index in range(images + labelled))
        pool = [ScoreRow(image_id) for image_id in image_ids[:images]]
        seconds["core-set"] = measure(
            make_strategy("core-set"), pool, batch, features=ImageFeatures(image_ids, values)
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    click.echo(
        json.dumps(
            {"rows": rows, "images": images, "batch": batch, "options": options}
            | {"seconds": seconds, "peak_mib": round(peak)}
        )
    )


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
    """Processor seconds of one query."""
    begin = time.process_time()
    query = strategy.query(rows, batch, np.random.default_rng(0), **options)
    seconds = time.process_time() - begin
    assert len(query.image_ids) == batch
    return round(seconds, 2)


if __name__ == "__main__":
    main()
