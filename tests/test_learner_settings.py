import pytest

from mrcnn_al.config import PRESETS, Config, ModelConfig, TrainingConfig, UNetConfig
from mrcnn_al.config.learner_settings import check_learner_settings
from mrcnn_al.errors import UserError


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_fitted_to_the_learner(preset):
    """What the others say of it comes on top; nothing else differs."""
    plain = Config.preset(preset)
    config = Config.preset(preset, run={"learner": "unet"})
    assert plain.run.learner == "mask_rcnn"
    assert (config.run.learner, config.run.weights) == ("unet", "none")
    assert config.training.optimizer == "adamw"
    assert config.model == plain.model
    assert Config.from_yaml(config.to_yaml()) == config
    given = {"run": {"learner": "unet", "weights": "some.h5"}, "training": {"optimizer": "sgd"}}
    config = Config.preset(preset, **given)
    assert (config.run.weights, config.training.optimizer) == ("some.h5", "sgd")


def test_the_number_of_classes_follows_from_the_image_set():
    config = Config.preset("cpu").fitted_to(["cell", "cyst"])
    assert config.unet.num_classes == config.model.num_classes == 3


def test_toy_images_are_small_for_either_learner():
    config = Config.for_subset("cpu", "toy", run={"learner": "unet"})
    assert config.unet.image_min_dim == config.model.image_min_dim == 128


def test_what_a_learner_uses_is_let_through():
    every = TrainingConfig.__dataclass_fields__
    check_learner_settings("mask_rcnn", {"model": ["backbone"], "training": every})
    check_learner_settings("unet", {"unet": ["filters"], "training": ["epochs"], "run": ["seed"]})
    check_learner_settings("unet", {})


@pytest.mark.parametrize(
    ("learner", "section", "field"),
    [
        *(("unet", "model", field) for field in ModelConfig.__dataclass_fields__),
        *(("mask_rcnn", "unet", field) for field in UNetConfig.__dataclass_fields__),
        ("unet", "training", "layers"),
        ("unet", "training", "mrcnn_mask_loss_weight"),
    ],
)
def test_what_a_learner_would_ignore_is_refused(learner, section, field):
    with pytest.raises(UserError, match=f"{section}.{field} is .*{learner} would"):
        check_learner_settings(learner, {section: [field]})
