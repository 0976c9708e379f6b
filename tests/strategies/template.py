"""What every strategy must do; a subclass provides the fixture `strategies`."""

import dataclasses
import itertools

import numpy as np
import pytest

from mrcnn_al.uncertainty.image_features import ImageFeatures
from mrcnn_al.uncertainty.score_row import SCORE_COLUMNS, ScoreRow

FLOATS = tuple(
    name for name in SCORE_COLUMNS if name.startswith(("least", "entropy", "margin", "maskal"))
)


SOME_CLASSES = (((1, 3.0),), ((1, 3.0),), ((2, 4.0),), ((1, 3.0), (7, 9.0)))


def varied_pool(count, seed=0):
    """Rows as a run makes them: some without any detection, some alike."""
    rng = np.random.default_rng(seed)
    return [
        ScoreRow(f"image-{index:03d}", passes=10)
        if index % 5 == 0
        else ScoreRow(
            f"image-{index:03d}",
            detections=float(rng.uniform(0.1, 9)),
            detected_passes=int(rng.integers(1, 11)),
            mask=float(rng.integers(0, 20)) * 10,
            mask_by_class=SOME_CLASSES[rng.integers(len(SOME_CLASSES))],
            passes=10,
            **{name: float(rng.uniform(0, 0.7)) for name in FLOATS},
        )
        for index in range(count)
    ]


def tied_pool(count):
    detected = ScoreRow(
        "",
        detections=1.0,
        detected_passes=10,
        mask=7.0,
        mask_by_class=((1, 7.0),),
        passes=10,
        **dict.fromkeys(FLOATS, 0.25),
    )
    return [dataclasses.replace(detected, image_id=f"tie-{index}") for index in range(count)]


def undetected_pool(count):
    return [ScoreRow(f"nothing-{index}", passes=10) for index in range(count)]


def unscored_pool(count):
    return [ScoreRow(f"unscored-{index}") for index in range(count)]


MAKE_POOL = {
    "varied": varied_pool,
    "tied": tied_pool,
    "undetected": undetected_pool,
    "unscored": unscored_pool,
}


def features_of(rows, labelled=3):
    """Made of the ids alone, so that they do not depend on the order of the rows."""
    image_ids = sorted([*(row.image_id for row in rows), *(f"old-{i}" for i in range(labelled))])
    vectors = [
        np.random.default_rng(list(image_id.encode())).normal(size=6) for image_id in image_ids
    ]
    return ImageFeatures(tuple(image_ids), np.array(vectors, np.float32).reshape(-1, 6))


def ask(strategy, rows, batch_size, rng, **options):
    """A query, with features for strategies that use them."""
    features = features_of(rows) if strategy.uses_features else None
    return strategy.query(rows, batch_size, rng, features=features, **options)


def cases(strategies):
    """What is looked at, a strategy and a maker of pools, for each kind of pool."""
    for (described, strategy), (kind, make_pool) in itertools.product(
        strategies.items(), MAKE_POOL.items()
    ):
        yield f"{described} on the {kind} pool", strategy, make_pool


class StrategyTemplate:
    """The fixture `strategies` is one strategy with several options, by a description of them."""

    def test_batches_have_the_exact_size(self, strategies):
        for where, strategy, make_pool in cases(strategies):
            for count in (0, 1, 2, 3, 7, 40):
                rows = make_pool(count)
                pool = {row.image_id for row in rows}
                for batch_size in sorted({*range(min(count, 9)), count // 2, count, count + 4}):
                    query = ask(strategy, rows, batch_size, np.random.default_rng(batch_size))
                    assert len(query.image_ids) == min(batch_size, count), where
                    assert len(set(query.image_ids)) == len(query.image_ids), where
                    assert set(query.image_ids) <= pool, where
                    assert len(query.reasons) == len(query.image_ids), where
                    assert all(query.reasons), where
                    assert query.utilities is None, where

    def test_the_seed_decides_everything(self, strategies):
        for where, strategy, make_pool in cases(strategies):
            rows = make_pool(60)
            one, other = (ask(strategy, rows, 10, np.random.default_rng(3)) for _ in range(2))
            assert one == other, where

    def test_the_order_of_the_rows_does_not_matter(self, strategies):
        for where, strategy, make_pool in cases(strategies):
            rows = make_pool(31)
            shuffled = [rows[index] for index in np.random.default_rng(5).permutation(len(rows))]
            one, other = (
                ask(strategy, order, 10, np.random.default_rng(1), return_utilities=True)
                for order in (rows, shuffled)
            )
            assert one == other, where
            assert one.zones == other.zones, where
            given, again = (
                strategy.pseudo_label_ids(order, 9, one.image_ids) for order in (rows, shuffled)
            )
            assert given == again, where

    def test_no_image_twice_in_a_run(self, strategies):
        for where, strategy, make_pool in cases(strategies):
            rows = make_pool(45)
            everything = sorted(row.image_id for row in rows)
            rng = np.random.default_rng(2)
            labelled = []
            while rows:
                batch = ask(strategy, rows, 10, rng).image_ids
                labelled.extend(batch)
                rows = [row for row in rows if row.image_id not in batch]
            assert sorted(labelled) == everything, where

    def test_utilities_cover_the_pool_and_change_nothing(self, strategies):
        for where, strategy, make_pool in cases(strategies):
            rows = make_pool(20)
            plain = ask(strategy, rows, 6, np.random.default_rng(1))
            query = ask(strategy, rows, 6, np.random.default_rng(1), return_utilities=True)
            assert query.image_ids == plain.image_ids, where
            assert set(query.utilities) == {row.image_id for row in rows}, where
            assert np.isfinite(list(query.utilities.values())).all(), where

    def test_zones_cover_the_pool_or_are_not_there(self, strategies):
        for where, strategy, make_pool in cases(strategies):
            rows = make_pool(20)
            zones = ask(strategy, rows, 5, np.random.default_rng(0)).zones
            considered = rows
            if strategy.skip_undetected:
                considered = [row for row in rows if not row.undetected]
            assert set(zones) in (set(), {row.image_id for row in considered}), where
            assert set(zones.values()) <= {"low", "medium", "high"}, where
            assert not ask(strategy, [], 5, np.random.default_rng(0)).zones, where

    def test_pseudo_labels_are_detected_images_that_stay_unlabelled(self, strategies):
        for where, strategy, make_pool in cases(strategies):
            rows = make_pool(40)
            queried = ask(strategy, rows, 10, np.random.default_rng(0)).image_ids
            for iteration in (1, 2, 10):
                image_ids = strategy.pseudo_label_ids(rows, iteration, queried)
                assert len(set(image_ids)) == len(image_ids), where
                detected = {row.image_id for row in rows if not row.undetected}
                assert set(image_ids) <= detected, where
                assert not set(image_ids) & set(queried), where
            assert strategy.pseudo_label_ids([], 10, ()) == (), where

    def test_what_cannot_be_asked_is_refused(self, strategies):
        rows = varied_pool(3)
        for strategy in strategies.values():
            with pytest.raises(ValueError, match="same image"):
                ask(strategy, [*rows, rows[0]], 2, np.random.default_rng(0))
            with pytest.raises(ValueError, match="-1"):
                ask(strategy, rows, -1, np.random.default_rng(0))
