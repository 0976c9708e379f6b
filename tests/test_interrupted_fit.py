"""A training that ends early leaves nothing behind in a process that goes on."""

import numpy as np
import pytest

from mrcnn_al.config import Config
from mrcnn_al.datasets.subsets import open_subset
from mrcnn_al.loop import ActiveLearning
from mrcnn_al.oracle import HiddenTruthOracle
from mrcnn_al.run_store import RunStore
from mrcnn_al.strategies.factory import strategy_from_config


def learning(folder, cache):
    """One iteration, not begun."""
    config = Config.for_subset(
        "cpu",
        "toy",
        run={"learner": "quick", "iterations": 1, "labelled": 4, "scale": 16.0},
        training={"epochs": 1, "steps_per_epoch": 4, "images_per_batch": 2},
        strategy={"name": "random", "batch": 4},
    )
    subset = open_subset("toy", None, cache, labelled=4, scale=16.0)
    config = config.fitted_to(subset.dataset.class_names)
    store = RunStore.create(folder, config.to_yaml())
    strategy, oracle = strategy_from_config(config.strategy), HiddenTruthOracle(subset.dataset)
    return ActiveLearning(config, subset, strategy, oracle, store, lambda line: None)


def test_run_again_after_an_interrupt_starts_from_the_same_weights(tmp_path, monkeypatch):
    whole, again = (learning(tmp_path / name, tmp_path / "cache") for name in ("a", "b"))
    whole.run()
    fit, fitted = again.learner.fit, []

    def interrupted(*arguments):
        """As Ctrl-C does before the first checkpoint."""
        fitted.append(fit(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(again.learner, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        again.run()
    monkeypatch.setattr(again.learner, "fit", fit)
    assert fitted
    again.store.iteration(1).checkpoint_path.unlink(missing_ok=True)
    again.run()
    one, other = (run.learner.model.weights for run in (whole, again))
    np.testing.assert_array_equal(one, other)
