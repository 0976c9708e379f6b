"""Every setting of a run: one frozen dataclass per concern, presets, YAML."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from mrcnn_al.config.model import ModelConfig
from mrcnn_al.config.run import RunConfig, StrategyConfig
from mrcnn_al.config.section import PRESETS, Section
from mrcnn_al.config.training import SamplingConfig, TrainingConfig
from mrcnn_al.config.unet import UNetConfig
from mrcnn_al.errors import UserError, nearest

__all__ = [
    "PRESETS",
    "Config",
    "ModelConfig",
    "RunConfig",
    "SamplingConfig",
    "StrategyConfig",
    "TrainingConfig",
    "UNetConfig",
]

# Toy images have 128 x 128 pixels and are few. The same number of steps in each iteration keeps
# the time in bounds however many pseudo-labels there are.
_SUBSET_DEFAULTS: dict[tuple[str, str], dict[str, dict[str, Any]]] = {
    ("cpu", "toy"): {
        "run": {"iterations": 4},
        "model": {"image_min_dim": 128, "image_max_dim": 128},
        "unet": {"image_min_dim": 128, "image_max_dim": 128},
        "training": {"epochs": 10, "steps_per_epoch": 10},
        "strategy": {"batch": 8},
    },
}

# What a preset says otherwise for a learner. There are no weights for a U-Net to start from, and
# it learns slowly with the momentum that suits a pretrained Mask R-CNN.
_LEARNER_DEFAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "unet": {
        "run": {"weights": "none"},
        "training": {"optimizer": "adamw", "learning_rate": 0.002},
    },
}


@dataclass(frozen=True)
class Config:
    """All sections of one run."""

    run: RunConfig = field(default_factory=RunConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    unet: UNetConfig = field(default_factory=UNetConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    strategy: StrategyConfig = field(default_factory=StrategyConfig)

    @classmethod
    def preset(cls, name: str, /, **overrides: dict[str, Any]) -> "Config":
        """The values of a preset, fitted to the learner; `overrides` come last.

        Args:
            name: of the preset.
            **overrides: dictionaries by section name.

        Raises:
            UserError: an unknown preset, section or field, or a value out of range.
        """
        sections = cls._sections()
        for key in overrides:
            if key not in sections:
                raise UserError(f"There is no section {key!r}. {nearest(key, sections)}")
        run = {"preset_name": name, **overrides.get("run", {})}
        fitted = _LEARNER_DEFAULTS.get(str(run.get("learner")), {})
        overrides["run"] = run
        return cls(
            **{
                key: section.preset(name, **{**fitted.get(key, {}), **overrides.get(key, {})})
                for key, section in sections.items()
            }
        )

    @classmethod
    def for_subset(cls, preset: str, subset: str, /, **overrides: dict[str, Any]) -> "Config":
        """The values of a preset, fitted to an image set; `overrides` come last."""
        merged: dict[str, dict[str, Any]] = {"run": {"subset": subset}}
        for layer in (_SUBSET_DEFAULTS.get((preset, subset), {}), overrides):
            for section, values in layer.items():
                merged.setdefault(section, {}).update(values)
        return cls.preset(preset, **merged)

    def fitted_to(self, class_names: Sequence[str]) -> "Config":
        """The same, for images of these classes (1, 2, ...)."""
        return dataclasses.replace(
            self,
            run=dataclasses.replace(self.run, class_names=tuple(class_names)),
            model=dataclasses.replace(self.model, num_classes=len(class_names) + 1),
            unet=dataclasses.replace(self.unet, num_classes=len(class_names) + 1),
        )

    def to_yaml(self) -> str:
        """As YAML text that `from_yaml` reads back to an equal value."""
        return yaml.safe_dump(
            {name: getattr(self, name).to_dict() for name in self._sections()},
            sort_keys=False,
        )

    @classmethod
    def from_yaml(cls, text: str, name: str = "config.yaml") -> "Config":
        """Reads what `to_yaml` wrote, or a part of it.

        Raises:
            UserError: not YAML, an unknown section or field, or a value out of range.
        """
        try:
            values = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise UserError(f"{name} is not valid YAML: {error}") from error
        sections = cls._sections()
        if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
            raise UserError(f"{name} must hold the sections {', '.join(sections)}.")
        for key in values:
            if key not in sections:
                raise UserError(f"{name} has no section {key!r}. {nearest(key, sections)}")
        return cls(**{k: sections[k].from_dict(v) for k, v in values.items()})

    @classmethod
    def _sections(cls) -> dict[str, type[Section]]:
        return {f.name: f.default_factory for f in dataclasses.fields(cls)}
