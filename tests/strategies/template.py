"""What every strategy must do; a subclass provides the fixture `strategy`."""

import dataclasses

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


class StrategyTemplate:
    @pytest.fixture(params=MAKE_POOL)
    def make_pool(self, request):
        return MAKE_POOL[request.param]

    def test_batches_have_the_exact_size(self, strategy, make_pool):
        for count in (0, 1, 2, 3, 7, 40):
            rows = make_pool(count)
            pool = {row.image_id for row in rows}
            for batch_size in sorted({*range(min(count, 9)), count // 2, count, count + 4}):
                query = ask(strategy, rows, batch_size, np.random.default_rng(batch_size))
                assert len(query.image_ids) == min(batch_size, count)
                assert len(set(query.image_ids)) == len(query.image_ids)
                assert set(query.image_ids) <= pool
                assert len(query.reasons) == len(query.image_ids)
                assert all(query.reasons)
                assert query.utilities is None

    def test_the_seed_decides_everything(self, strategy, make_pool):
        rows = make_pool(60)
        one, other = (ask(strategy, rows, 10, np.random.default_rng(3)) for _ in range(2))
        assert one == other

    def test_the_order_of_the_rows_does_not_matter(self, strategy, make_pool):
        rows = make_pool(31)
        shuffled = [rows[index] for index in np.random.default_rng(5).permutation(len(rows))]
        one, other = (
            ask(strategy, order, 10, np.random.default_rng(1), return_utilities=True)
            for order in (rows, shuffled)
        )
        assert one == other
        assert one.zones == other.zones
        queried = one.image_ids
        assert strategy.pseudo_label_ids(rows, 9, queried) == strategy.pseudo_label_ids(
            shuffled, 9, queried
        )

    def test_no_image_twice_in_a_run(self, strategy, make_pool):
        rows = make_pool(45)
        everything = sorted(row.image_id for row in rows)
        rng = np.random.default_rng(2)
        labelled = []
        while rows:
            batch = ask(strategy, rows, 10, rng).image_ids
            labelled.extend(batch)
            rows = [row for row in rows if row.image_id not in batch]
        assert sorted(labelled) == everything

    def test_utilities_cover_the_pool_and_change_nothing(self, strategy, make_pool):
        rows = make_pool(20)
        plain = ask(strategy, rows, 6, np.random.default_rng(1))
        query = ask(strategy, rows, 6, np.random.default_rng(1), return_utilities=True)
        assert query.image_ids == plain.image_ids
        assert set(query.utilities) == {row.image_id for row in rows}
        assert np.isfinite(list(query.utilities.values())).all()

    def test_zones_cover_the_pool_or_are_not_there(self, strategy, make_pool):
        rows = make_pool(20)
        zones = ask(strategy, rows, 5, np.random.default_rng(0)).zones
        considered = rows
        if strategy.skip_undetected:
            considered = [row for row in rows if not row.undetected]
        assert set(zones) in (set(), {row.image_id for row in considered})
        assert set(zones.values()) <= {"low", "medium", "high"}
        assert not ask(strategy, [], 5, np.random.default_rng(0)).zones

    def test_pseudo_labels_are_detected_images_that_stay_unlabelled(self, strategy, make_pool):
        rows = make_pool(40)
        queried = ask(strategy, rows, 10, np.random.default_rng(0)).image_ids
        for iteration in (1, 2, 10):
            image_ids = strategy.pseudo_label_ids(rows, iteration, queried)
            assert len(set(image_ids)) == len(image_ids)
            assert set(image_ids) <= {row.image_id for row in rows if not row.undetected}
            assert not set(image_ids) & set(queried)
        assert strategy.pseudo_label_ids([], 10, ()) == ()

    def test_rows_of_the_same_image_are_refused(self, strategy):
        rows = varied_pool(3)
        with pytest.raises(ValueError, match="same image"):
            ask(strategy, [*rows, rows[0]], 2, np.random.default_rng(0))

    def test_negative_batches_are_refused(self, strategy):
        with pytest.raises(ValueError, match="-1"):
            ask(strategy, varied_pool(3), -1, np.random.default_rng(0))
