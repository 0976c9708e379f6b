"""A pool that this process has scored, for workers to score again."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

SETTINGS = {
    "run": {"learner": "quick", "scale": 16.0, "labelled": 4},
    "training": {"epochs": 3, "steps_per_epoch": 5, "images_per_batch": 2},
    "sampling": {"passes": 2, "min_confidence": 0.0},
}
SEED = 5


@pytest.fixture(scope="session")
def pool(tmp_path_factory):
    """A model, its weights file, and the rows of 12 images; `scoring(hire, count)` for workers."""
    from mrcnn_al.config import Config
    from mrcnn_al.datasets.subsets import open_dataset
    from mrcnn_al.learners.factory import make_learner
    from mrcnn_al.workers.pool_scoring import PoolScoring

    folder = tmp_path_factory.mktemp("workers")
    cache, weights = folder / "cache", folder / "weights.h5"
    dataset = open_dataset("toy", None, cache, scale=SETTINGS["run"]["scale"])
    config = Config.preset("cpu", **SETTINGS).fitted_to(dataset.class_names)
    learner = make_learner(config, dataset.load_image)
    image_ids = dataset.image_ids[:12]
    load = lambda image_id: (dataset.load_image(image_id), dataset.load_instances(image_id))
    learner.fit(image_ids[:4], load, SEED, "training")
    learner.save_weights(weights)
    return SimpleNamespace(
        config=config,
        cache=cache,
        weights=weights,
        image_ids=image_ids,
        learner=learner,
        rows=learner.score(image_ids, SEED, "scoring"),
        scoring=lambda hire, count, say=print: partial(
            PoolScoring(config, Path(cache), hire, count, say).rows,
            learner,
            weights,
            image_ids,
            SEED,
            "scoring",
        ),
    )
