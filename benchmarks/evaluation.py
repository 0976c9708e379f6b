"""What COCO mAP of a large image set costs.

python benchmarks/evaluation.py
python benchmarks/evaluation.py --classes 10 --rounds 3
python benchmarks/evaluation.py --images 500

Prints one JSON line: medians of processor and wall seconds of this package, of pycocotools and of
those of hotcoco and faster-coco-eval that are installed, one after the other in each round; whether
precision and recall have the same bits as those of pycocotools; and the peak memory. Parts are

encode      masks to run-length encodings, which this package does without
objects     instances to what the library works on; of this package a part of overlaps
overlaps    IoU of masks; of hotcoco a part of matching
matching    detections with objects
curves      precision and recall

Five rounds of pycocotools take three minutes of a core.
"""

import contextlib
import importlib
import io
import json
import resource
import statistics
import time
from functools import partial

import click
import numpy as np

from mrcnn_al.evaluation.coco_curves import curve_tables
from mrcnn_al.evaluation.coco_map import evaluate_coco
from mrcnn_al.evaluation.coco_matching import match
from mrcnn_al.evaluation.coco_overlaps import Comparison
from mrcnn_al.instances import Instances

HEIGHT, WIDTH = 480, 640
DETECTIONS = 10
OTHERS = {
    "pycocotools": ("pycocotools.coco.COCO", "pycocotools.cocoeval.COCOeval"),
    "hotcoco": ("hotcoco.COCO", "hotcoco.COCOeval"),
    "faster-coco-eval": ("faster_coco_eval.COCO", "faster_coco_eval.COCOeval_faster"),
}


@click.command()
@click.option("--images", default=13_715, show_default=True)
@click.option("--classes", default=1, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(images, classes, rounds):
    """Measures on made-up images of 480 x 640 with ten detections each."""
    truths, founds = make_images(images, classes)
    measured = {"ours": evaluate_here}
    for name, paths in OTHERS.items():
        with contextlib.suppress(ModuleNotFoundError):
            measured[name] = partial(evaluate_there, *map(find, paths))
    clocks = {name: [] for name in measured}
    tables = {}
    for _ in range(rounds):
        for name, evaluate in measured.items():
            clock = Clock()
            tables[name] = evaluate(truths, founds, classes, clock)
            clocks[name].append(clock.seconds)
    names = [f"{index:06d}" for index in range(images)]
    begin = time.process_time()
    metrics = evaluate_coco(
        dict(zip(names, truths, strict=True)), dict(zip(names, founds, strict=True)), range(classes)
    )
    whole = time.process_time() - begin
    click.echo(
        json.dumps(
            {"images": images, "classes": classes, "rounds": rounds}
            | {"instances": sum(map(len, truths)), "detections": sum(map(len, founds))}
            | {"processor_seconds": {name: medians(all_, 0) for name, all_ in clocks.items()}}
            | {"wall_seconds": {name: medians(all_, 1) for name, all_ in clocks.items()}}
            | {"same_bits": {name: same(table, tables) for name, table in tables.items()}}
            | {"evaluate_coco_processor_seconds": round(whole, 2), "AP": metrics["AP"]}
            | {"peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}
        )
    )


class Clock:
    """Adds up processor and wall seconds by the name of a part."""

    def __init__(self):
        self.seconds = {}

    @contextlib.contextmanager
    def part(self, name):
        begin = time.process_time(), time.perf_counter()
        yield
        end = time.process_time(), time.perf_counter()
        sums = self.seconds.get(name, (0.0, 0.0))
        self.seconds[name] = tuple(s + e - b for s, b, e in zip(sums, begin, end, strict=True))


def evaluate_here(truths, founds, classes, clock):
    """This package's evaluation, part by part."""
    with clock.part("overlaps"):
        comparison = Comparison()
        for found, truth in zip(founds, truths, strict=True):
            comparison.add(found, truth)
        found, truth, overlaps = comparison.result()
    with clock.part("matching"):
        matching = match(found, truth, overlaps, 100)
    with clock.part("curves"):
        tables = curve_tables(found, truth, matching, classes)
    return tables.precision, tables.recall


def evaluate_there(coco, evaluator, truths, founds, classes, clock):
    """The evaluation of a library that has pycocotools' classes."""
    with clock.part("encode"):
        encoded = [[(one.rles(), one.areas()) for one in images] for images in (truths, founds)]
    with clock.part("objects"), contextlib.redirect_stdout(io.StringIO()):
        sets = [
            to_coco(coco, images, codes, classes)
            for images, codes in zip((truths, founds), encoded, strict=True)
        ]
        evaluation = evaluator(*sets, "segm")
        evaluation.params.maxDets = [100]
    with contextlib.redirect_stdout(io.StringIO()):
        if hasattr(evaluation, "computeIoU"):
            compute = evaluation.computeIoU

            def timed(*arguments):
                with clock.part("overlaps"):
                    return compute(*arguments)

            evaluation.computeIoU = timed
        with clock.part("matching"):
            evaluation.evaluate()
        with clock.part("curves"):
            evaluation.accumulate()
    if "overlaps" in clock.seconds:
        whole, inner = clock.seconds["matching"], clock.seconds["overlaps"]
        clock.seconds["matching"] = whole[0] - inner[0], whole[1] - inner[1]
    shape = 10, 101, classes, 4
    tables = evaluation.eval["precision"], evaluation.eval["recall"]
    return np.reshape(tables[0], shape), np.reshape(tables[1], (10, classes, 4))


def to_coco(coco, images, encoded, classes):
    """A library's data set of instances, with their run-length encodings and areas."""
    annotations = []
    for index, (instances, (rles, areas)) in enumerate(zip(images, encoded, strict=True)):
        for i, rle in enumerate(rles):
            annotation = {
                "id": len(annotations) + 1,
                "image_id": index,
                "category_id": int(instances.class_ids[i]),
                "segmentation": rle,
                "area": int(areas[i]),
                "iscrowd": int(instances.crowd[i]),
            }
            if instances.scores is not None:
                annotation["score"] = float(instances.scores[i])
            annotations.append(annotation)
    data = coco()
    data.dataset = {
        "info": {},
        "images": [{"id": i, "height": HEIGHT, "width": WIDTH} for i in range(len(images))],
        "categories": [{"id": i, "name": f"{i}"} for i in range(1, classes + 1)],
        "annotations": annotations,
    }
    data.createIndex()
    return data


def make_images(count, classes):
    """Ground truth and ten detections of each image, the same every time.

    One image in fifty is empty, the others have 5.6 instances on average and 40 at most, one in a
    hundred of them a crowd. Half of the sides are below 40 pixels.
    """
    random = np.random.default_rng(0)
    truths, founds = [], []
    for _ in range(count):
        objects = 0 if random.random() < 0.02 else min(40, random.geometric(1 / 5.6))
        outlines = [random_outline(random) for _ in range(objects)]
        class_ids = random.integers(1, classes + 1, objects)
        crowd = random.random(objects) < 0.01
        truths.append(make_instances(outlines, class_ids, crowd=crowd))
        seen = random.permutation(np.flatnonzero(random.random(objects) < 0.8))[:DETECTIONS]
        invented = DETECTIONS - len(seen)
        moved = [outlines[i] * jitter(random) + random.normal(0, [2, 2, 0, 0, 0, 0]) for i in seen]
        told = np.where(random.random(len(seen)) < 0.95, class_ids[seen], 1)
        founds.append(
            make_instances(
                moved + [random_outline(random) for _ in range(invented)],
                np.concatenate([told, random.integers(1, classes + 1, invented)]),
                np.concatenate([random.beta(5, 2, len(seen)), random.beta(2, 4, invented)]),
            )
        )
    return truths, founds


def random_outline(random):
    """Centre y and x, half axes, waves around and their phase, of a wavy ellipse."""
    radius = min(150, random.lognormal(np.log(20), 0.8))
    stretch = random.uniform(0.6, 1.6)
    centre = random.uniform(0, (HEIGHT, WIDTH))
    return np.array([*centre, radius * stretch, radius / stretch, *random.uniform(0, 6, 2)])


def jitter(random):
    """Factors for an outline that is almost the same."""
    return np.array([1, 1, *random.normal(1, 0.08, 2), 1, 1])


def make_instances(outlines, class_ids, scores=None, crowd=None):
    """Draws outlines; every one has a pixel at least."""
    boxes, masks = [], []
    for y, x, half_height, half_width, waves, phase in outlines:
        y, x = np.clip(y, 0, HEIGHT - 1), np.clip(x, 0, WIDTH - 1)
        reach = 1.2 * max(half_height, 1), 1.2 * max(half_width, 1)
        y1, y2 = int(max(0, y - reach[0])), int(min(HEIGHT, y + reach[0] + 1))
        x1, x2 = int(max(0, x - reach[1])), int(min(WIDTH, x + reach[1] + 1))
        dy = (np.arange(y1, y2)[:, None] - y) / max(half_height, 1)
        dx = (np.arange(x1, x2) - x) / max(half_width, 1)
        edge = 1 + 0.2 * np.sin(int(waves) * np.arctan2(dy, dx) + phase)
        boxes.append((y1, x1, y2, x2))
        masks.append(dy**2 + dx**2 <= edge**2)
    return Instances(HEIGHT, WIDTH, class_ids, np.array(boxes).reshape(-1, 4), masks, scores, crowd)


def find(path):
    """The object of a dotted path."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def medians(rounds, kind):
    """Median seconds of each part and of their sum."""
    rounds = [{part: both[kind] for part, both in seconds.items()} for seconds in rounds]
    rounds = [seconds | {"whole": sum(seconds.values())} for seconds in rounds]
    return {
        part: round(statistics.median(seconds[part] for seconds in rounds), 2) for part in rounds[0]
    }


def same(table, tables):
    """Whether precision and recall have the bits of pycocotools."""
    return all(
        np.array_equal(np.ascontiguousarray(one).view(int), np.ascontiguousarray(other).view(int))
        for one, other in zip(table, tables["pycocotools"], strict=True)
    )


if __name__ == "__main__":
    main()
