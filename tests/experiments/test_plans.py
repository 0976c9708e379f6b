import pytest

from mrcnn_al.comparison.plan import Plan
from mrcnn_al.config import ModelConfig
from mrcnn_al.config.section import PRESETS
from mrcnn_al.errors import UserError
from mrcnn_al.experiments.plans import Choices, build_plan, merged
from mrcnn_al.experiments.start_weights import check_start_weights
from mrcnn_al.experiments.table import EXPERIMENTS
from mrcnn_al.weights.known_files import COCO_FILE, IMAGENET_FILES


def configs(name, **choices):
    plan = build_plan(EXPERIMENTS[name], Choices(**choices))
    return [plan.config(arm) for arm in plan.arms]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_a_valid_plan(name, preset):
    experiment = EXPERIMENTS[name]
    start = "imagenet" if preset == "cpu" and experiment.weights is None else None
    plan = build_plan(experiment, Choices(preset=preset, start_weights=start))
    assert Plan.from_yaml(plan.to_yaml()) == plan
    assert (plan.repeats, plan.seed, plan.full_data) == (3, 0, True)
    for arm in plan.arms:
        config = plan.config(arm, repeat=2)
        assert config.run.seed == 2
        assert config.run.subset == experiment.subset
        assert config.run.iterations == experiment.iterations
        assert config.run.labelled == experiment.labelled
        assert config.training.epochs == experiment.epochs
        assert config.strategy.batch == experiment.batch
        assert config.strategy.name == arm.settings["strategy"]["name"]
        assert (config.sampling.passes, config.sampling.min_confidence) == (10, 0.7)
        assert config.model.dropout_rate == 0.5
        if name != "carry":
            assert config.run.carry_weights
        if start is None:
            assert config.run.weights == experiment.start_weights(arm)


def test_the_presets_fit_the_images():
    nuclei, photographs = configs("fig5.1")[0], configs("fig5.4")[0]
    assert nuclei.model.rpn_anchor_scales == (8, 16, 32, 64, 128)
    assert nuclei.model.image_resize_mode == "crop"
    assert photographs.model.rpn_anchor_scales == (32, 64, 128, 256, 512)
    assert photographs.model.image_resize_mode == "square"
    assert photographs.model.image_max_dim == ModelConfig().image_max_dim == 1024
    assert photographs.model.mean_pixel == (123.7, 116.8, 103.9)
    # The preset's own departures and its backbone stay.
    assert photographs.model.half_pixel_sampling
    assert photographs.model.backbone == "resnet50"
    small = configs("fig5.4", preset="cpu")[0]
    assert (small.model.image_resize_mode, small.model.image_max_dim) == ("square", 256)
    assert small.model.mean_pixel == (127.0, 127.0, 127.0)
    # Other images than the thesis's are treated as what they are.
    toy = configs("fig5.4", preset="cpu", subset="toy")[0]
    assert (toy.model.image_resize_mode, toy.model.image_max_dim) == ("crop", 128)


def test_scaled_and_overridden():
    for config in configs(
        "fig5.14",
        scale=0.25,
        iterations=3,
        data="coco",
        overrides={"training": {"epochs": 2}, "strategy": {"batch": 6}},
    ):
        assert (config.run.scale, config.run.labelled, config.run.iterations) == (0.25, 10, 3)
        assert (config.training.epochs, config.strategy.batch) == (2, 6)
        assert config.run.data == "coco"


def test_coco_weights_bring_their_backbone_for_all_lines():
    assert [c.model.backbone for c in configs("fig5.10")] == ["resnet101"] * 4
    assert [c.run.weights for c in configs("fig5.10")] == ["none", "none", "coco", "coco"]
    plan = build_plan(EXPERIMENTS["fig5.10"], Choices())
    assert plan.full_config(0, 480, 40).run.weights == "none"


def test_start_weights_take_the_place_of_the_pretrained_ones_only():
    runs = [c.run for c in configs("fig5.11", preset="cpu", start_weights="my.h5")]
    assert [run.weights for run in runs] == ["none", "none", "my.h5", "my.h5"]
    assert [run.exclude for run in runs] == [(), (), ("heads",), ("heads",)]
    assert {c.model.backbone for c in configs("fig5.11", preset="cpu", start_weights="my.h5")} == {
        "efficientnet_lite0"
    }
    runs = [c.run for c in configs("fig5.14", start_weights="my.h5")]
    assert {(run.weights, run.exclude) for run in runs} == {("my.h5", ("heads",))}


@pytest.mark.parametrize(
    ("name", "choices", "words"),
    [
        ("fig5.10", {"preset": "cpu"}, "COCO weights.*none for the preset cpu.*--start-weights"),
        (
            "fig5.10",
            {"overrides": {"model": {"backbone": "resnet50"}}},
            "none for the backbone resnet50",
        ),
        ("fig5.1", {"start_weights": "my.h5"}, "Every line of fig5.1 starts from scratch"),
        ("fig5.4", {"start_weights": "none"}, "-o run.weights=none"),
        ("fig5.10", {"overrides": {"run": {"weights": "none"}}}, "what fig5.10 compares"),
        ("fig5.1", {"overrides": {"strategy": {"name": "mask"}}}, "what fig5.1 compares"),
        ("fig5.16", {"overrides": {"strategy": {"pseudo_from": 2}}}, "set by semi-from-3"),
        ("fig5.1", {"overrides": {"run": {"seed": 2}}}, "use --seed instead"),
        ("fig5.1", {"overrides": {"run": {"iterations": 2}}}, "use --iterations instead"),
        ("fig5.1", {"overrides": {"training": {"epoch": 2}}}, "no field 'epoch'"),
        ("fig5.9", {"overrides": {"model": {"rpn_channels": 8}}}, "unet would ignore"),
        ("fig5.1", {"preset": "gpu"}, "Unknown preset 'gpu'"),
        ("fig5.1", {"repeats": 0}, "repeats"),
        ("fig5.1", {"scale": 7.5}, "scale 7.5 is out of range"),
    ],
)
def test_what_is_refused(name, choices, words):
    with pytest.raises(UserError, match=words):
        build_plan(EXPERIMENTS[name], Choices(**choices))


def test_start_weights_from_scratch_by_assignment():
    found = configs("fig5.4", overrides={"run": {"weights": "none"}})
    assert {c.run.weights for c in found} == {"none"}


def test_merged():
    assert merged({"a": {"x": 1, "y": 1}}, {"b": {"z": 2}}, {"a": {"x": 3}}) == {
        "a": {"x": 3, "y": 1},
        "b": {"z": 2},
    }


def test_start_weights_are_found_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setenv("MRCNN_AL_WEIGHTS", str(tmp_path))
    check_start_weights(build_plan(EXPERIMENTS["fig5.1"], Choices()))
    check_start_weights(build_plan(EXPERIMENTS["fig5.4"], Choices(preset="cpu")))
    (tmp_path / COCO_FILE.name).touch()
    check_start_weights(build_plan(EXPERIMENTS["fig5.10"], Choices()))
    (tmp_path / IMAGENET_FILES["resnet50"].name).touch()
    check_start_weights(build_plan(EXPERIMENTS["fig5.4"], Choices()))
    own = Choices(preset="cpu", start_weights=str(tmp_path / "absent.h5"))
    with pytest.raises(UserError, match=r"absent\.h5 do not exist"):
        check_start_weights(build_plan(EXPERIMENTS["fig5.10"], own))


def test_start_weights_that_are_not_there(tmp_path, monkeypatch):
    import urllib.request

    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setenv("MRCNN_AL_WEIGHTS", str(tmp_path / "here"))
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(UserError) as caught:
        check_start_weights(build_plan(EXPERIMENTS["fig5.12"], Choices()))
    message = str(caught.value)
    for words in ("starts from coco weights", "no network", COCO_FILE.url, "--start-weights FILE"):
        assert words in message
    assert str(tmp_path / "here" / COCO_FILE.name) in message
