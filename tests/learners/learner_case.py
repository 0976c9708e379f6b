"""What every learner must do; a subclass says which one, and how small."""

import dataclasses
import weakref

import numpy as np
import pytest
from keras import ops

from mrcnn_al.config import Config
from mrcnn_al.instances import Instances
from mrcnn_al.learners.factory import learner_class
from mrcnn_al.uncertainty.score_row import ScoreRow, score_column


def load(dataset):
    return lambda image_id: (dataset.load_image(image_id), dataset.load_instances(image_id))


def values(learner):
    return [ops.convert_to_numpy(variable).copy() for variable in learner.model.weights]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def train(learner, dataset, seed=3, **options):
    return learner.fit(dataset.image_ids[:4], load(dataset), seed, "training", **options)


class LearnerCase:
    """Properties of any learner, built once for each subclass."""

    settings = {}  # noqa: RUF012

    def test_it_is_the_one_asked_for(self, learner):
        config = Config.preset("cpu", **self.settings)
        assert type(learner) is learner_class(config)
        assert learner.start_report is None

    def test_training_changes_the_weights_as_the_seed_says(self, learner, dataset):
        learner.restore_start_weights()
        before = values(learner)
        history = train(learner, dataset)
        trained = values(learner)
        assert [row["epoch"] for row in history] == [1]
        assert all(np.isfinite(value) for value in history[0].values())
        assert {*learner.model.loss_weights, "loss", "seconds"} <= history[0].keys()
        assert not same(before, trained)
        learner.restore_start_weights()
        assert same(before, values(learner))
        train(learner, dataset)
        assert same(trained, values(learner))
        learner.restore_start_weights()
        train(learner, dataset, seed=4)
        assert not same(trained, values(learner))

    def test_a_training_goes_on_from_its_checkpoint(self, learner, dataset, tmp_path):
        learner.restore_start_weights()
        expected = train(learner, dataset, checkpoint=tmp_path / "whole.npz")
        trained = values(learner)
        checkpoint, loaded = tmp_path / "checkpoint.npz", []

        def killed(image_id):
            loaded.append(image_id)
            if len(loaded) > 3:
                raise KeyboardInterrupt
            return load(dataset)(image_id)

        config = dataclasses.replace(learner._fitter.config, checkpoint_steps=1, prefetch=1)
        before, learner._fitter.config = learner._fitter.config, config
        try:
            learner.restore_start_weights()
            with pytest.raises(KeyboardInterrupt):
                learner.fit(dataset.image_ids[:4], killed, 3, "training", checkpoint=checkpoint)
        finally:
            learner._fitter.config = before
        learner.restore_start_weights()
        history = train(learner, dataset, checkpoint=checkpoint)
        assert same(trained, values(learner))
        assert history[0]["loss"] == expected[0]["loss"]

    def test_weights_are_saved_and_loaded(self, make, learner, tmp_path):
        learner.save_weights(tmp_path / "weights.h5")
        other = make(seed=1)
        assert not same(values(learner), values(other))
        other.load_weights(tmp_path / "weights.h5")
        assert same(values(learner), values(other))

    def test_scores_are_finite_and_the_seeds(self, learner, dataset):
        image_ids = dataset.image_ids[:3]
        rows = learner.score(image_ids, 5, "scoring")
        assert [row.image_id for row in rows] == list(image_ids)
        assert [row.passes for row in rows] == [2, 2, 2]
        for row in rows:
            numbers = [v for v in dataclasses.astuple(row) if isinstance(v, float)]
            assert np.isfinite(numbers).all()
            assert min(numbers) >= 0
            for name in ("least_confident", "entropy", "margin", "maskal"):
                least, most = (getattr(row, score_column(name, how)) for how in ("mean", "max"))
                assert least <= most + 1e-9
        assert learner.score(image_ids, 5, "scoring") == rows
        assert learner.score(image_ids[1:2], 5, "scoring") == rows[1:2]
        assert isinstance(rows[0], ScoreRow)

    def test_passes_are_those_of_the_scores(self, learner, dataset):
        (row,) = learner.score(dataset.image_ids[:1], 5, "scoring")
        passes = learner.passes(dataset.image_ids[0], 5)
        assert len(passes) == 2
        assert row.detections == sum(map(len, passes)) / 2
        assert row.detected_passes == sum(len(found) > 0 for found in passes)

    def test_features(self, learner, dataset):
        features = learner.features(dataset.image_ids[:3], "features")
        assert features.image_ids == dataset.image_ids[:3]
        assert features.values.dtype == np.float32
        assert np.isfinite(features.values).all()
        assert features.values.std(axis=0).max() > 0

    def test_predictions_are_the_detections(self, learner, dataset):
        image_id = dataset.image_ids[0]
        (one,), (other,) = (learner.predict([image_id], "predicting").values() for _ in range(2))
        assert isinstance(one, Instances)
        assert (one.height, one.width) == dataset.size(image_id)
        np.testing.assert_array_equal(one.dense(), other.dense())

    def test_metrics(self, learner, dataset):
        image_ids, seen, kept = dataset.image_ids[4:], {}, []

        def look(image_id, truth, found):
            # Masks of thousands of images would fill the memory.
            kept.extend(reference for reference in seen.values() if reference() is not None)
            seen[image_id] = weakref.ref(found)
            np.testing.assert_array_equal(truth.dense(), dataset.load_instances(image_id).dense())
            assert (found.height, found.width) == dataset.size(image_id)

        metrics = learner.evaluate(dataset, image_ids[::-1], "evaluating", look)
        assert list(seen) == sorted(image_ids)
        assert not kept
        assert learner.evaluate(dataset, image_ids, "evaluating") == metrics
        assert {"AP", "AP50", "AP75", "APs", "APm", "APl", "per_class"} <= metrics.keys()
        assert 0 <= metrics["AP"] <= 1
