"""A learner for each class of tests, by its attribute `settings`."""

import pytest

TRAINING = {"epochs": 1, "steps_per_epoch": 2, "images_per_batch": 2, "warmup_steps": 0}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    from mrcnn_al.datasets.toy import generate_toy

    return generate_toy(str(tmp_path_factory.mktemp("toy")), seed=0, count=6, size=64)


@pytest.fixture(scope="class")
def make(request, dataset):
    """Makes the learner anew, with settings of its own."""
    from mrcnn_al.config import Config
    from mrcnn_al.learners.factory import make_learner

    def made(seed=0, **sections):
        given = {**request.cls.settings, **sections}
        given["run"] = {**given["run"], "seed": seed}
        given["training"] = {**TRAINING, **given.get("training", {})}
        given["sampling"] = {"passes": 2, "min_confidence": 0.0}
        config = Config.preset("cpu", **given).fitted_to(dataset.class_names)
        return make_learner(config, dataset.load_image)

    return made


@pytest.fixture(scope="class")
def learner(make):
    return make()
