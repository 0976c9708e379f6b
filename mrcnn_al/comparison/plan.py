"""What a comparison is to run."""

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from mrcnn_al.comparison.used_settings import check_used
from mrcnn_al.config import Config, StrategyConfig
from mrcnn_al.errors import UserError, nearest
from mrcnn_al.strategies.factory import strategy_from_config

FULL_DATA = "full-data"
FIRST = "first"
# 2^40 signs are what the exact permutation test can count.
MOST_REPEATS = 40

_NAME = re.compile(r"\w[\w ,.+=()%-]{0,79}")
_RESERVED = re.compile(rf"{FULL_DATA}|{FIRST}(-\d+)?|.*\.log", re.IGNORECASE)
_BOUNDS = {"repeats": (1, MOST_REPEATS), "seed": (0, 2**31 - 1 - MOST_REPEATS)}
_DERIVED = {("run", "class_names"), ("model", "num_classes"), ("unet", "num_classes")}
_BY_PLAN = {("run", "seed"), ("run", "subset"), ("run", "preset_name")}
# All arms of a repeat have the same images and the same split.
_COMMON = {("run", "data"), ("run", "scale"), ("run", "skip_broken")}

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Arm:
    """One line of the figure.

    Attributes:
        name: of the line, also of its folders.
        settings: by section and field, on top of those of the plan.
    """

    name: str
    settings: Settings = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "settings", _plain(self.settings, f"The arm {self.name!r}"))


@dataclass(frozen=True)
class Plan:
    """Arms, each run once with each of several seeds.

    Attributes:
        subset: name of the image set.
        preset: the settings to start from.
        arms: what is compared, at least one.
        repeats: seeds, 1 to 40.
        seed: of the first repeat; the others count on from it. It decides split, start weights
            and all else that is drawn, the same for all arms of a repeat.
        settings: of all arms, by section and field; an arm's own come on top.
        full_data: in each repeat a model is trained on the whole pool, too; see `full_config`.
        full_settings: of that model, on top of `settings`.

    Raises:
        UserError: a name that is no folder's, a setting that is none or out of range, an
            unknown strategy, a setting that an arm cannot have for itself, or one that would be
            ignored: an arm's own by that arm, one of the plan by all arms.
    """

    subset: str
    preset: str
    arms: tuple[Arm, ...]
    repeats: int
    seed: int = 0
    settings: Settings = field(default_factory=dict)
    full_data: bool = True
    full_settings: Settings = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "arms", tuple(self.arms))
        for name in ("settings", "full_settings"):
            object.__setattr__(self, name, _plain(getattr(self, name), f"The plan's {name}"))
        _check_names([arm.name for arm in self.arms])
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise UserError(f"{name} is {value!r}; it must be a number from {low} to {high}.")
        if type(self.full_data) is not bool:
            raise UserError(f"full_data is {self.full_data!r}; it must be true or false.")
        _check_free(self.settings, "The plan", _BY_PLAN)
        for owner, settings in self._own_settings():
            _check_free(settings, owner, _BY_PLAN | _COMMON)
        for arm in self.arms:
            try:
                strategy_from_config(self.config(arm).strategy)
                check_used([self.config(arm)], arm.settings)
            except UserError as error:
                raise UserError(f"The arm {arm.name!r}: {error}") from error
        check_used([self.config(arm) for arm in self.arms], self.settings)
        self.full_config(0, 2, 1)

    def arm(self, name: str) -> Arm:
        """The arm of that name.

        Raises:
            UserError: there is none.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        names = [arm.name for arm in self.arms]
        raise UserError(f"The comparison has no arm {name!r}. {nearest(name, names)}")

    def config(self, arm: Arm, repeat: int = 0) -> Config:
        """The configuration of one run, its classes left open.

        Args:
            arm: one of `arms`.
            repeat: from 0.
        """
        return self._config(repeat, arm.settings)

    def full_config(self, repeat: int, pool: int, labelled: int) -> Config:
        """The configuration of the run on the whole pool, one iteration.

        Where weights are carried from one iteration to the next, a model of the last iteration
        has seen many more steps than one iteration has. So that the model on all data is no
        worse for being trained less, it gets as many steps as a whole run of an arm, and never
        fewer epochs than one iteration; `full_settings` may say otherwise.

        Args:
            repeat: from 0.
            pool: images of the pool.
            labelled: of these, what an arm begins with.
        """
        config = self._config(repeat, self.full_settings)
        run = dataclasses.replace(config.run, iterations=1, labelled=pool)
        training, strategy = config.training, drawing(config.strategy.batch)
        if "epochs" not in self.full_settings.get("training", {}) and run.carry_weights:
            begun = range(config.run.iterations)
            if training.steps_per_epoch is None:
                shown = sum(min(pool, labelled + i * strategy.batch) for i in begun)
                share = shown / pool
            else:
                share = len(begun)
            epochs = max(training.epochs, math.ceil(training.epochs * share))
            training = dataclasses.replace(training, epochs=epochs)
        return dataclasses.replace(config, run=run, training=training, strategy=strategy)

    def baseline(self, arm: Arm) -> Arm | None:
        """What an arm is compared with: random sampling.

        Of the arms with the strategy `random` the first whose other sections are the same, else
        the first at all. None for that arm itself, and where there is none.
        """
        config = self.config(arm)
        drawn = [other for other in self.arms if self.config(other).strategy.name == "random"]
        alike = [other for other in drawn if same_training(self.config(other), config)]
        chosen = next(iter(alike or drawn), None)
        return None if chosen is None or chosen.name == arm.name else chosen

    def to_yaml(self) -> str:
        """As YAML text that `from_yaml` reads back to an equal value."""
        content = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        content["arms"] = [{"name": arm.name, "settings": arm.settings} for arm in self.arms]
        return yaml.safe_dump(content, sort_keys=False)

    @classmethod
    def from_yaml(cls, text: str, name: str = "comparison.yaml") -> "Plan":
        """Reads what `to_yaml` wrote.

        Raises:
            UserError: not YAML, or no plan; `name` and what is wrong are named.
        """
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UserError(f"{name} is not valid YAML: {error}") from error
        try:
            content = _checked(content, cls, "it")
            arms = content["arms"]
            if not isinstance(arms, list):
                raise UserError("arms must be a list.")
            content["arms"] = tuple(Arm(**_checked(arm, Arm, "an arm")) for arm in arms)
            return cls(**content)
        except UserError as error:
            raise UserError(f"{name} is no plan of a comparison: {error}") from error

    def differences(self, wanted: "Plan") -> list[str]:
        """What `wanted` would have otherwise, for people; empty where nothing.

        More repeats are no difference, nor is another place of the same images (run.data).
        """
        had, want = (dict(plan._flat()) for plan in (self, wanted))
        if self.repeats <= wanted.repeats:
            had["repeats"] = wanted.repeats
        for settings in (had, want):
            settings.pop("settings.run.data", None)
        names = dict.fromkeys((*had, *want))
        missing = object()
        return [
            f"{name}: {_said(had, name)}, not {_said(want, name)}"
            for name in names
            if had.get(name, missing) != want.get(name, missing)
        ]

    def _config(self, repeat: int, own: Settings) -> Config:
        merged: dict[str, dict[str, Any]] = {}
        for layer in (self.settings, own, {"run": {"seed": self.seed + repeat}}):
            for section, values in layer.items():
                merged.setdefault(section, {}).update(values)
        return Config.for_subset(self.preset, self.subset, **merged)

    def _own_settings(self) -> Iterator[tuple[str, Settings]]:
        yield from ((f"The arm {arm.name!r}", arm.settings) for arm in self.arms)
        yield "The model on all data", self.full_settings

    def _flat(self) -> Iterator[tuple[str, Any]]:
        for name in ("subset", "preset", "repeats", "seed", "full_data"):
            yield name, getattr(self, name)
        yield "arms", ", ".join(arm.name for arm in self.arms)
        named = {"settings": self.settings, "full_settings": self.full_settings}
        named |= {f"arm {arm.name}": arm.settings for arm in self.arms}
        for owner, settings in named.items():
            for section, values in settings.items():
                yield from ((f"{owner}.{section}.{key}", value) for key, value in values.items())


def drawing(batch: int) -> StrategyConfig:
    """Random batches and no more, for runs whose queries nobody looks at."""
    return StrategyConfig(name="random", batch=batch)


def scoring(batch: int) -> StrategyConfig:
    """One that asks for scores and does nothing else, for runs whose scores others take."""
    return StrategyConfig(name="least-confident", batch=batch)


def uses_scores(config: Config) -> bool:
    """Whether the pool is scored in a run."""
    return strategy_from_config(config.strategy).uses_scores


def same_training(config: Config, other: Config) -> bool:
    """Whether the first iterations of two runs train the same model: only `strategy` differs."""
    return dataclasses.replace(config, strategy=other.strategy) == other


def _plain(settings: Any, owner: str) -> dict[str, dict[str, Any]]:
    """As dictionaries of plain values; lists become tuples, as in the configuration."""
    if not isinstance(settings, Mapping):
        raise UserError(f"{owner}: settings are by section and field, not {settings!r}.")
    plain = {}
    for section, values in settings.items():
        if not isinstance(values, Mapping):
            raise UserError(f"{owner}: the section {section!r} is {values!r}, not fields.")
        plain[section] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
    return plain


def _check_names(names: list[str]) -> None:
    if not names:
        raise UserError("A comparison needs at least one arm.")
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith((" ", ".")):
            raise UserError(
                f"{name!r} cannot be the name of an arm, as it is also that of a folder: begin "
                "with a letter or digit and use letters, digits, blanks and ,.+=()%_- only."
            )
        if _RESERVED.fullmatch(name):
            raise UserError(f"An arm cannot be named {name!r}; the comparison uses that name.")
        if name.lower() in seen:
            raise UserError(f"There are two arms of the name {name!r}.")
        seen.add(name.lower())


def _check_free(settings: Settings, owner: str, taken: set[tuple[str, str]]) -> None:
    for section, values in settings.items():
        for key in values:
            if (section, key) in _DERIVED:
                raise UserError(f"{owner}: {section}.{key} follows from the image set.")
            if (section, key) in taken:
                raise UserError(
                    f"{owner}: {section}.{key} must be the same for all runs of a repeat; it "
                    "is set by the plan."
                )


def _checked(content: Any, kind: type, what: str) -> dict[str, Any]:
    fields = {f.name: f for f in dataclasses.fields(kind)}
    if not isinstance(content, dict):
        raise UserError(f"{what} must hold {', '.join(fields)}.")
    for name in content:
        if name not in fields:
            raise UserError(f"{what} has no field {name!r}. {nearest(name, fields)}")
    for name, known in fields.items():
        optional = known.default is not dataclasses.MISSING
        if not optional and known.default_factory is dataclasses.MISSING and name not in content:
            raise UserError(f"{what} lacks the field {name!r}.")
    return dict(content)


def _said(values: Mapping[str, Any], name: str) -> str:
    return repr(values[name]) if name in values else "not given"
