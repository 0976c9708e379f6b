"""From an experiment to the plan of a comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mrcnn_al.comparison.plan import Arm, Plan
from mrcnn_al.config import RunConfig
from mrcnn_al.config.learner_settings import check_learner_settings
from mrcnn_al.errors import UserError
from mrcnn_al.experiments.experiment import SCRATCH, Experiment
from mrcnn_al.experiments.image_settings import settings_for_images
from mrcnn_al.experiments.sizes import fit_sizes

_COCO_BACKBONE = "resnet101"
_OWN_OPTIONS = {
    ("run", "subset"): "--subset",
    ("run", "data"): "--data",
    ("run", "scale"): "--scale",
    ("run", "seed"): "--seed",
    ("run", "preset_name"): "--preset",
    ("run", "skip_broken"): "--skip-broken",
    ("run", "iterations"): "--iterations",
}


@dataclass(frozen=True)
class Choices:
    """What a reproduction may choose otherwise than the thesis.

    Attributes:
        preset: the settings to start from.
        repeats: seeds.
        seed: of the first repeat.
        data: where the images are.
        subset: another image set, for trying an experiment out.
        scale: a smaller set, see `SubsetRow.scaled`.
        iterations: in place of the experiment's.
        start_weights: in place of the ImageNet or COCO weights of the experiment.
        skip_broken: leave out images that cannot be read.
        overrides: settings by section and field, on top of everything.
    """

    preset: str = "thesis"
    repeats: int = 3
    seed: int = 0
    data: str | None = None
    subset: str | None = None
    scale: float | None = None
    iterations: int | None = None
    start_weights: str | None = None
    skip_broken: bool = False
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def build_plan(experiment: Experiment, choices: Choices) -> Plan:
    """The comparison that an experiment is.

    Raises:
        UserError: a choice is out of range or does not go with the experiment, such as COCO
            weights with a backbone that has none.
    """
    sizes = fit_sizes(experiment, choices.subset, choices.scale, choices.iterations)
    experiment = _with_weights(experiment, choices)
    _check_overrides(experiment, choices.overrides)
    learner = merged(experiment.settings, choices.overrides).get("run", {}).get("learner")
    check_learner_settings(learner or RunConfig.learner, choices.overrides)
    run = {
        "data": choices.data,
        "scale": choices.scale,
        "skip_broken": choices.skip_broken,
        "iterations": sizes.iterations,
        "labelled": sizes.labelled,
        "weights": experiment.weights or SCRATCH,
    }
    settings = merged(
        settings_for_images(choices.preset, sizes.subset),
        {
            "run": {name: value for name, value in run.items() if value is not None},
            "training": {"epochs": experiment.epochs},
            "strategy": {"batch": sizes.batch},
        },
        experiment.settings,
        choices.overrides,
    )
    return Plan(
        subset=sizes.subset,
        preset=choices.preset,
        arms=experiment.arms,
        repeats=choices.repeats,
        seed=choices.seed,
        settings=settings,
    )


def merged(*layers: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Settings by section and field, those of later layers on top."""
    result: dict[str, dict[str, Any]] = {}
    for layer in layers:
        for section, values in layer.items():
            result.setdefault(section, {}).update(values)
    return result


def _with_weights(experiment: Experiment, choices: Choices) -> Experiment:
    """The experiment with start weights that there are for the network."""
    starts = {experiment.start_weights(arm) for arm in experiment.arms}
    if choices.start_weights is None:
        if "coco" not in starts or choices.overrides.get("run", {}).get("weights"):
            return experiment
        return _with_coco_backbone(experiment, choices)
    if choices.start_weights == SCRATCH:
        raise UserError("--start-weights none starts from scratch: use -o run.weights=none.")
    if starts == {SCRATCH}:
        raise UserError(
            f"Every line of {experiment.name} starts from scratch; --start-weights takes the "
            "place of ImageNet or COCO weights. Use -o run.weights=FILE to start otherwise."
        )
    # Its heads may be made for other classes; what loads a backbone does not mind.
    chosen = {"weights": choices.start_weights, "exclude": ["heads"]}
    if experiment.weights is not None:
        settings = merged(experiment.settings, {"run": chosen})
        return replace(experiment, weights=choices.start_weights, settings=settings)
    arms = tuple(
        arm
        if experiment.start_weights(arm) == SCRATCH
        else Arm(arm.name, merged(arm.settings, {"run": chosen}))
        for arm in experiment.arms
    )
    return replace(experiment, arms=arms)


def _with_coco_backbone(experiment: Experiment, choices: Choices) -> Experiment:
    wanted = choices.overrides.get("model", {}).get("backbone", _COCO_BACKBONE)
    if choices.preset == "cpu" or wanted != _COCO_BACKBONE:
        network = "the preset cpu" if choices.preset == "cpu" else f"the backbone {wanted}"
        raise UserError(
            f"{experiment.name} starts from Matterport's COCO weights, which are of a Mask R-CNN "
            f"with {_COCO_BACKBONE}; there are none for {network}. Leave that out, or name others "
            "with --start-weights FILE (--start-weights imagenet would do for a backbone)."
        )
    settings = merged(experiment.settings, {"model": {"backbone": _COCO_BACKBONE}})
    return replace(experiment, settings=settings)


def _check_overrides(experiment: Experiment, overrides: Mapping[str, Mapping[str, Any]]) -> None:
    for section, values in overrides.items():
        for name in values:
            if (section, name) in _OWN_OPTIONS:
                option = _OWN_OPTIONS[section, name]
                raise UserError(f"-o {section}.{name}: use {option} instead.")
            compared = [a.name for a in experiment.arms if name in a.settings.get(section, {})]
            if compared:
                raise UserError(
                    f"-o {section}.{name}: that is what {experiment.name} compares, it is set by "
                    f"{', '.join(compared)}."
                )
