"""Configuration: presets, YAML, and what is refused with which words."""

import dataclasses
import json

import pytest

from mrcnn_al.config import (
    PRESETS,
    Config,
    ModelConfig,
    RunConfig,
    TrainingConfig,
    UNetConfig,
)
from mrcnn_al.errors import UserError

# What the reference has and ours does without or calls otherwise.
ELSEWHERE = {
    "batch_size",
    "compute_backbone_shape",
    "gpu_count",
    "images_per_gpu",
    "image_channel_count",
    "image_meta_size",
    "image_shape",
    "loss_weights",
    "name",
    "steps_per_epoch",
    "train_bn",
    "use_rpn_rois",
    "validation_steps",
}


def test_the_preset_matterport_has_the_references_defaults(shared):
    path = shared / "parity" / "configs.json"
    theirs = json.loads(path.read_text())["reference_defaults"]
    theirs = {name.lower(): value for name, value in theirs.items()}
    config = Config.preset("matterport")
    ours = {**config.model.to_dict(), **config.training.to_dict()}
    assert set(theirs) - set(ours) <= ELSEWHERE
    compared = set(theirs) - ELSEWHERE
    assert {name: ours[name] for name in compared} == {name: theirs[name] for name in compared}
    assert len(compared) == 35
    assert ours["images_per_batch"] == theirs["images_per_gpu"]
    for name, weight in theirs["loss_weights"].items():
        assert ours[f"{name}_weight"] == weight
    assert theirs["train_bn"] is False
    assert ours["normalization"] == ours["head_normalization"] == "frozen_batch"


def test_the_preset_nucleus_has_the_samples_values():
    config = Config.preset("nucleus")
    expected = {
        "num_classes": 2,
        "backbone": "resnet50",
        "image_resize_mode": "crop",
        "image_resize_mode_inference": "pad64",
        "image_min_dim": 512,
        "image_max_dim": 512,
        "image_min_scale": 2.0,
        "rpn_anchor_scales": (8, 16, 32, 64, 128),
        "rpn_nms_threshold": 0.9,
        "post_nms_rois_training": 1000,
        "post_nms_rois_inference": 2000,
        "rpn_train_anchors_per_image": 64,
        "mean_pixel": (43.53, 39.56, 48.22),
        "use_mini_mask": True,
        "mini_mask_shape": (56, 56),
        "train_rois_per_image": 128,
        "max_gt_instances": 200,
        "detection_max_instances": 400,
        "detection_min_confidence": 0.0,
    }
    assert {name: getattr(config.model, name) for name in expected} == expected
    assert config.training.images_per_batch == 6
    assert config.training.epochs == 20
    assert config.training.flips
    assert config.training.rotations
    assert config.training.brightness_jitter == (0.8, 1.5)


@pytest.mark.parametrize("preset", PRESETS)
def test_yaml_comes_back_equal(preset):
    config = Config.preset(preset)
    assert Config.from_yaml(config.to_yaml()) == config


def test_a_part_of_yaml_leaves_the_rest_at_its_defaults():
    config = Config.from_yaml("training:\n  epochs: 3\n  scale_jitter: [0.5, 2]\n")
    assert config.training == TrainingConfig(epochs=3, scale_jitter=(0.5, 2))
    assert config.model == ModelConfig()
    assert Config.from_yaml("") == Config()


def test_a_preset_with_some_values_replaced():
    config = Config.preset("cpu", model={"num_classes": 4}, training={"epochs": 1})
    expected = dataclasses.replace(Config.preset("cpu").model, num_classes=4)
    assert config.model == expected
    assert config.training.epochs == 1


def test_configurations_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelConfig().num_classes = 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: {backbon: resnet50}", "ModelConfig has no field 'backbon'.*'backbone'"),
        ("modle: {}", "no section 'modle'.*'model'"),
        ("model: {xyzzy: 1}", "ModelConfig has no field 'xyzzy'. Known are: num_classes"),
        ("model: {1: 2}", "ModelConfig has no field 1"),
        ("1: {}", "no section 1"),
        ("model: 3", "must hold the sections run, model"),
        ("- 1", "must hold the sections"),
        ("model: {", "run.yaml is not valid YAML"),
        ("model: {num_classes: !!python/name:os.system }", "is not valid YAML"),
    ],
)
def test_what_is_no_configuration_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        Config.from_yaml(text, "run.yaml")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("model: {num_classes: 2.0}", "num_classes"),
        ("model: {num_classes: true}", "num_classes"),
        ("model: {backbone: 50}", "backbone"),
        ("model: {dropout_rate: half}", "dropout_rate"),
        ("model: {dropout_rate: .nan}", "dropout_rate"),
        ("model: {use_mini_mask: 1}", "use_mini_mask"),
        ("model: {num_classes: null}", "num_classes"),
        ("model: {mini_mask_shape: [28]}", "mini_mask_shape"),
        ("model: {mean_pixel: [1, 2, three]}", "mean_pixel"),
        ("model: {rpn_anchor_scales: 8}", "rpn_anchor_scales"),
        ("run: {exclude: heads}", "exclude"),
        ("run: {exclude: [1]}", "exclude"),
    ],
)
def test_a_wrong_type_is_named(text, name):
    with pytest.raises(UserError, match=f"{name} is .*must be"):
        Config.from_yaml(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("model: {num_classes: 0}", "num_classes"),
        ("model: {dropout_rate: 1.0}", "dropout_rate"),
        ("model: {detection_min_confidence: -0.1}", "detection_min_confidence"),
        ("model: {backbone: vgg16}", "backbone"),
        ("model: {image_resize_mode_inference: crop}", "image_resize_mode_inference"),
        ("model: {image_max_dim: 1000}", "image_max_dim"),
        ("model: {rpn_anchor_scales: [8, 16]}", "rpn_anchor_scales"),
        ("training: {layers: 2+}", "layers"),
        ("training: {learning_rate: .inf}", "learning_rate"),
        ("training: {steps_per_epoch: 0}", "steps_per_epoch"),
        ("training: {scale_jitter: [2, 1]}", "scale_jitter"),
        ("sampling: {passes: 0}", "passes"),
        ("strategy: {zones: rnk}", "zones"),
        ("strategy: {batch: 0}", "batch"),
        ("run: {seed: -1}", "seed"),
    ],
)
def test_a_value_out_of_range_is_named(text, name):
    with pytest.raises(UserError, match=name):
        Config.from_yaml(text)


def test_whole_numbers_do_for_fractions():
    assert ModelConfig(pixel_scale=1).pixel_scale == 1


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(UserError, match=r"'nuclei'.*Did you mean 'nucleus'"):
        Config.preset("nuclei")


def test_labelled_may_be_left_to_the_subset():
    assert RunConfig().labelled is None
    assert RunConfig(labelled=5).labelled == 5


@pytest.mark.parametrize("section", [ModelConfig, UNetConfig])
def test_the_images_of_inference_can_be_halved_too(section):
    fields = {"image_resize_mode": "crop", "image_min_dim": 64, "image_max_dim": 100}
    section(**fields)
    with pytest.raises(UserError, match="image_max_dim is 100; it must be divisible by 64 where"):
        section(**fields, image_resize_mode_inference="square")
