import math

import numpy as np
import pytest

from mrcnn_al.comparison.plan import Arm, Plan
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.datasets.subsets import open_subset
from mrcnn_al.datasets.toy import generate_toy
from mrcnn_al.experiments.batch_balance import (
    balance_chart,
    class_counts,
    composition_charts,
    evenness,
    read_compositions,
)
from mrcnn_al.run_store import RunStore
from mrcnn_al.strategies.base import Query


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((10, 10, 10), 1.0),
        ((5, 0, 0), 0.0),
        ((10, 10, 0), math.log(2) / math.log(3)),
        ((3, 1), -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)),
    ],
)
def test_evenness(counts, expected):
    assert evenness(counts) == pytest.approx(expected)


def test_evenness_of_nothing():
    assert math.isnan(evenness((0, 0)))
    assert str(evenness((0, 4))) == "0.0"


def test_images_that_show_a_class(tmp_path):
    dataset = generate_toy(tmp_path / "toy", 3, 8, 64)
    chosen = dataset.image_ids[2:7]
    expected = [0] * len(dataset.class_names)
    for image_id in chosen:
        for class_id in set(dataset.load_instances(image_id).class_ids.tolist()):
            expected[class_id - 1] += 1
    assert class_counts(dataset, chosen).tolist() == expected
    assert sum(expected) > 0


def test_charts():
    compositions = {
        "random": ((np.array([5, 5]), np.array([4, 4])), (np.array([10, 0]), np.array([3, 3]))),
        "entropy": ((np.array([8, 2]),), ()),
    }
    chart = balance_chart(compositions)
    assert [band.name for band in chart.bands] == ["random", "entropy"]
    assert chart.bands[0].x == (1, 2)
    assert chart.bands[0].mean == pytest.approx((0.5, 1.0))
    assert chart.bands[1].mean == pytest.approx((evenness((8, 2)),))
    first, second = composition_charts(("a", "b"), compositions)
    assert [(band.name, band.mean) for band in first.bands] == [
        ("a", (7.5, 3.5)),
        ("b", (2.5, 3.5)),
    ]
    assert second.bands[1].mean == (2.0,)


def test_the_batches_of_a_comparison(tmp_path):
    arms = (Arm("random", {"strategy": {"name": "random"}}), Arm("mask", {}))
    settings = {"run": {"scale": 24.0}, "strategy": {"name": "mask"}}
    plan = Plan("toy", "cpu", arms, repeats=2, settings=settings)
    subset = open_subset("toy", cache=tmp_path, scale=24)
    batches = (subset.train[5:9], subset.train[9:13], ())
    for number, batch in enumerate(batches, start=1):
        run = RunStore(ComparisonStore(tmp_path / "out").run_folder(1, "mask"))
        run.iteration(number).write_batch(Query(tuple(batch), ("random",) * len(batch)))
    classes, found = read_compositions(tmp_path / "out", plan, tmp_path)
    assert classes == subset.dataset.class_names
    assert found["random"] == ((), ())
    assert found["mask"][0] == ()
    # The last query found nothing left.
    expected = [class_counts(subset.dataset, batch).tolist() for batch in batches[:2]]
    assert [counts.tolist() for counts in found["mask"][1]] == expected
