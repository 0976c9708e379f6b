"""What scoring a pool by several workers brings, and what it costs to begin.

python benchmarks/workers.py --data stage1_train.zip --weights nucleus.h5
python benchmarks/workers.py --data stage1_train.zip --ray local

Prints one JSON line: images a second in this process and by each number of workers while all of
them are at work, and the seconds from the call to the first and the last answer beyond that.
"""

import dataclasses
import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path

import click

from mrcnn_al.cli.workers import connection
from mrcnn_al.errors import UserError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SEED = 0


@click.command()
@click.option("--subset", default="dsb", show_default=True)
@click.option("--data", help="stage1_train.zip or its folder.")
@click.option("--preset", default="cpu", show_default=True)
@click.option("--learner", default="mask_rcnn", show_default=True)
@click.option("--weights", help="Trained weights; without, --detections are kept anyhow.")
@click.option("--detections", default=45, show_default=True, help="An image, without --weights.")
@click.option("--images", default=60, show_default=True)
@click.option("--workers", default="1,2", show_default=True, help="Numbers, with commas.")
@click.option("--ray", help="A Ray cluster, too: its address, or local.")
@click.option("--cache", type=click.Path(), help="Of the image set.")
def main(subset, data, preset, learner, weights, detections, images, workers, ray, cache):
    """Measures on images of the pool."""
    from mrcnn_al.config import Config
    from mrcnn_al.datasets.subsets import open_subset
    from mrcnn_al.learners.factory import make_learner
    from mrcnn_al.workers.local import LocalWorker

    with tempfile.TemporaryDirectory() as folder, connection(ray) as cluster:
        cache = Path(cache or folder)
        opened = open_subset(subset, data, cache)
        fixed = {} if weights else {"detection_max_instances": detections}
        config = Config.preset(
            preset,
            run={
                **{"subset": subset, "data": data, "learner": learner, "weights": "none"},
                "seed": SEED,
            },
            model=fixed,
            sampling={} if weights else {"min_confidence": 0.0},
        ).fitted_to(opened.dataset.class_names)
        learner = make_learner(config, opened.dataset.load_image)
        file = Path(weights or Path(folder, "weights.h5"))
        if weights:
            learner.load_weights(weights)
        else:
            learner.save_weights(file)
        learner.score(opened.train[-1:], SEED, "warming up")
        measure = partial(_measure, config, cache, learner, file, opened.train[:images])
        rows, alone = measure()
        result = {
            "preset": preset,
            "images": images,
            "passes": config.sampling.passes,
            "detections_a_pass": sum(row.detections for row in rows) / images,
            "in_process": alone,
        }
        for count in map(int, workers.split(",")):
            result[f"workers_{count}"] = _checked(rows, measure(LocalWorker, count))
        if cluster is not None:
            from mrcnn_al.workers.ray_worker import RayWorker

            hire = partial(RayWorker, cluster)
            for count in map(int, workers.split(",")):
                result[f"ray_{count}"] = _checked(rows, measure(hire, cluster.workers(count)))
    result |= {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    click.echo(json.dumps(result))


def _measure(config, cache, learner, weights, image_ids, hire=None, count=1):
    from mrcnn_al.workers.pool_scoring import PoolScoring

    arrivals = []

    def keep(row):
        arrivals.append(time.perf_counter())

    begin = time.perf_counter()
    if hire is None:
        rows = learner.score(image_ids, SEED, "in this process", keep)
    else:
        scoring = PoolScoring(config, cache, hire, count)
        rows = scoring.rows(learner, weights, image_ids, SEED, f"{count} workers", keep)
    whole = time.perf_counter() - begin
    # One image is this process's; with the first answers of all workers all of them have begun.
    first = 0 if hire is None else count
    rate = (len(arrivals) - 1 - first) / (arrivals[-1] - arrivals[first])
    return rows, {
        "seconds": round(whole, 2),
        "images_a_second": round(rate, 3),
        "seconds_to_begin": round(whole - len(arrivals) / rate, 2),
    }


def _checked(expected, measured):
    rows, figures = measured
    if list(map(dataclasses.astuple, rows)) != list(map(dataclasses.astuple, expected)):
        raise UserError("The workers have other scores than this process.")
    return figures


if __name__ == "__main__":
    main()
