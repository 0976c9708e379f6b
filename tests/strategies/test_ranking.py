"""The strategies that take the top of a ranking, against sorting row by row."""

import dataclasses

import numpy as np
import pytest
from template import varied_pool

from mrcnn_al.errors import UserError
from mrcnn_al.strategies import make_strategy
from mrcnn_al.uncertainty.score_row import ScoreRow

FIELDS = {
    ("least-confident", None): "least_confident",
    ("least-confident", "max"): "least_confident",
    ("least-confident", "mean"): "least_confident_mean",
    ("least-confident", "sum"): "least_confident_sum",
    ("entropy", None): "entropy",
    ("entropy", "mean"): "entropy_mean",
    ("entropy", "sum"): "entropy_sum",
    ("margin", None): "margin",
    ("margin", "mean"): "margin_mean",
    ("margin", "sum"): "margin_sum",
    ("maskal", None): "maskal_mean",
    ("maskal", "max"): "maskal",
    ("maskal", "sum"): "maskal_sum",
}


def strategy_of(name, aggregate):
    return make_strategy(name, **({"aggregate": aggregate} if aggregate else {}))


@pytest.mark.parametrize(("kind", "field"), FIELDS.items())
@pytest.mark.parametrize("seed", range(3))
def test_the_most_uncertain_images_are_taken(kind, field, seed):
    rows = varied_pool(60, seed)
    # Coarse numbers, so that there are ties.
    rows = [dataclasses.replace(row, **{field: round(getattr(row, field), 1)}) for row in rows]
    ranked = sorted(rows, key=lambda row: (not row.undetected, -getattr(row, field), row.image_id))
    for batch_size in (1, 9, 20, 60):
        query = strategy_of(*kind).query(rows, batch_size, np.random.default_rng(0))
        assert list(query.image_ids) == [row.image_id for row in ranked[:batch_size]]
        assert list(query.reasons) == [
            "undetected" if row.undetected else "top" for row in ranked[:batch_size]
        ]


@pytest.mark.parametrize(("kind", "field"), FIELDS.items())
def test_utilities_are_the_uncertainties(kind, field):
    rows = varied_pool(40)
    query = strategy_of(*kind).query(rows, 1, np.random.default_rng(0), return_utilities=True)
    most = max(getattr(row, field) for row in rows if not row.undetected)
    assert query.utilities == {
        row.image_id: most + 1 if row.undetected else getattr(row, field) for row in rows
    }


def test_an_image_without_detections_beats_any_sum():
    rows = [ScoreRow("a", 30.0, 10, entropy_sum=99.0, passes=10), ScoreRow("b", passes=10)]
    query = strategy_of("entropy", "sum").query(rows, 1, np.random.default_rng(0))
    assert query.image_ids == ("b",)


def test_a_number_that_is_none_is_refused():
    rows = [
        ScoreRow("a", 1.0, 1, entropy=0.1, passes=1),
        ScoreRow("b", 1.0, 1, entropy=float("nan"), passes=1),
    ]
    with pytest.raises(ValueError, match="Image b has no finite entropy"):
        make_strategy("entropy").query(rows[::-1], 1, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["entropy", "maskal", "mask-class"])
def test_unknown_aggregates_are_refused(name):
    with pytest.raises(UserError, match="'aggregate' is 'median'; known: max, mean, sum"):
        make_strategy(name, aggregate="median")
