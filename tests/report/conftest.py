"""A run on disk as the loop leaves it, made up."""

import csv
import json

import numpy as np
import pytest

from mrcnn_al.evaluation.learning_curve import CurvePoint, write_curve
from mrcnn_al.evaluation.pseudo_quality import PseudoQuality
from mrcnn_al.instances import Instances
from mrcnn_al.report.html import write_report
from mrcnn_al.score_table import RECORD_COLUMNS

LOSSES = (
    "rpn_class_loss",
    "rpn_bbox_loss",
    "mrcnn_class_loss",
    "mrcnn_bbox_loss",
    "mrcnn_mask_loss",
)
CONFIG = """\
run:
  subset: dsb
  preset_name: thesis
  seed: 7
strategy:
  name: semi
  pseudo_threshold: 50.0
  pseudo_from: 2
  note: <script>alert(1)</script> & more
"""


@pytest.fixture
def run_folder(tmp_path):
    """Four iterations of which the last has only been trained."""
    return _write_run(tmp_path / "dsb-mask-7")


@pytest.fixture(scope="session")
def run_report(tmp_path_factory):
    """The report of such a run, to read only."""
    return write_report(_write_run(tmp_path_factory.mktemp("report") / "dsb-mask-7"))


def _write_run(folder):
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    random = np.random.default_rng(0)
    curve = []
    for number in range(1, 5):
        iteration = folder / f"iteration_{number:03d}"
        iteration.mkdir()
        _write_history(iteration / "history.csv", random, number)
        if number == 4:
            break
        quality = 0.45 * (1 - np.exp(-number / 3)) + random.normal(0, 0.01)
        point = CurvePoint(
            number, 40 * number, 1850 * number, 3 * number, quality, 1.6 * quality, quality, 0.1
        )
        curve.append(point)
        metrics = {
            "AP": point.AP,
            "AP50": point.AP50,
            "per_class": {"nucleus": {"AP": quality, "AP50": None}, "<b>": {"AP": 0, "AP50": 1}},
            "iteration": number,
            "seconds": {"train": 310.5, "evaluate": 61, "score": 150 - 9 * number, "query": 0.2},
        }
        (iteration / "metrics.json").write_text(json.dumps(metrics))
        _write_scores(iteration / "scores.csv", random)
        reasons = ["zone:low"] * 10 + ["zone:medium"] * 8 + ["zone:high:fill"] * 2
        reasons += ["zone:high"] * 6 + ["class"] * 4 + ["random"] * 10
        batch = {"image_ids": [f"i{i}" for i in range(40)], "reasons": reasons}
        (iteration / "batch.json").write_text(json.dumps(batch))
        counts = {f"i{i}": [i + number, int(i % number == 0)] for i in range(40)}
        classes = {"class_names": ["nucleus", "<b>"], "instances": counts}
        (iteration / "batch_classes.json").write_text(json.dumps(classes))
        if number > 1:
            matched = min(number, 8)
            quality = [
                PseudoQuality(f"p{i}", 10, 9, matched, 0.6 + 0.04 * i) for i in range(3 * number)
            ]
            entries = [q.to_dict() for q in quality]
            (iteration / "pseudo_quality.json").write_text(json.dumps(entries))
    write_curve(folder / "curve.csv", curve)
    pool = {
        "iteration": 3,
        "labelled": [f"a{i}" for i in range(320)],
        "unlabelled": [f"b{i}" for i in range(1160)],
        "pseudo_labelled": [],
    }
    (folder / "pool.json").write_text(json.dumps(pool))
    return folder


@pytest.fixture
def passes():
    """Four passes over an image of 60 x 90: two nuclei, one of them unsure."""
    y, x = np.mgrid[:60, :90]
    result = []
    for radius in (8, 11, 14, 17):
        sure = (y - 30) ** 2 + (x - 25) ** 2 < 15**2
        unsure = (y - 30) ** 2 + (x - 65) ** 2 < radius**2
        result.append(Instances.from_dense(np.stack([sure, unsure], 2), [1, 1], [0.99, 0.71]))
    return result


def _write_history(path, random, number):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "loss", *LOSSES, "learning_rate"])
        for epoch in range(1, 11):
            scale = np.exp(-(10 * (number - 1) + epoch) / 25) + 0.2
            parts = random.uniform(0.8, 1.2, 5) * scale * np.array([0.1, 0.5, 0.3, 0.4, 0.6])
            writer.writerow([epoch, parts.sum(), *parts, 0.001])


def _write_scores(path, random):
    masks = np.sort(random.gamma(1.5, 120, 300))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, RECORD_COLUMNS, restval=0.25)
        writer.writeheader()
        for index, mask in enumerate(masks):
            zone = ("low", "medium", "high")[3 * index // len(masks)]
            seen = 0 if index >= 290 else 10
            line = {"image_id": f"i{index}", "detections": 3.5, "detected_passes": seen}
            line |= {"mask": mask, "mask_by_class": f"1:{mask}", "passes": 10}
            writer.writerow({**line, "zone": zone, "queried": 0, "reason": ""})
