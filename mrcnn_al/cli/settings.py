"""Options of the command line to a configuration."""

import contextlib
from typing import Any

import click
import yaml

from mrcnn_al.config import PRESETS, Config
from mrcnn_al.errors import UserError

# Option name to (section, field).
FIELDS = {
    "data": ("run", "data"),
    "seed": ("run", "seed"),
    "iterations": ("run", "iterations"),
    "labelled": ("run", "labelled"),
    "scale": ("run", "scale"),
    "weights": ("run", "weights"),
    "carry_weights": ("run", "carry_weights"),
    "learner": ("run", "learner"),
    "new_labels": ("run", "new_labels"),
    "skip_broken": ("run", "skip_broken"),
    "strategy": ("strategy", "name"),
    "batch": ("strategy", "batch"),
    "balanced": ("strategy", "balanced"),
    "skip_undetected": ("strategy", "skip_undetected"),
    "shuffle": ("strategy", "shuffle"),
    "aggregate": ("strategy", "aggregate"),
    "zones": ("strategy", "zones"),
    "pseudo_threshold": ("strategy", "pseudo_threshold"),
    "pseudo_from": ("strategy", "pseudo_from"),
    "pseudo_labels": ("strategy", "pseudo_labels"),
    "passes": ("sampling", "passes"),
    "min_confidence": ("sampling", "min_confidence"),
    "epochs": ("training", "epochs"),
    "steps_per_epoch": ("training", "steps_per_epoch"),
    "images_per_batch": ("training", "images_per_batch"),
    "learning_rate": ("training", "learning_rate"),
    "layers": ("training", "layers"),
    "backbone": ("model", "backbone"),
}

data_options = [
    click.option("--data", type=click.Path(), help="The images; without --subset a COCO folder."),
    click.option("--cache", type=click.Path(), help="Folder for parsed labels and made images."),
    click.option("--skip-broken", is_flag=True, default=None, help="Leave out broken images."),
]

scale_option = click.option(
    "--scale", type=float, help="A smaller subset: a fraction, or a number of training images."
)
assignment_option = click.option(
    *("-o", "--set", "assignments"),
    multiple=True,
    metavar="SECTION.FIELD=VALUE",
    help="Any setting.",
)


def with_options(options):
    """A decorator that adds a list of click options to a command, first one on top."""

    def decorate(command):
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def preset_option(**attributes):
    """--preset, the settings to start from."""
    return click.option("--preset", type=click.Choice(PRESETS), **attributes)


def overrides(options: dict[str, Any], assignments: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Values by section and field, from options that were given and from --set.

    Args:
        options: by name; None where not given.
        assignments: texts such as `model.image_min_dim=512`, the value in YAML.

    Raises:
        UserError: an assignment that is none.
    """
    result: dict[str, dict[str, Any]] = {}
    for name, value in options.items():
        if value is not None and name in FIELDS:
            section, field = FIELDS[name]
            result.setdefault(section, {})[field] = value
    for text in assignments:
        target, equals, value = text.partition("=")
        section, dot, field = target.strip().partition(".")
        if not (equals and dot and field):
            raise UserError(f"--set {text!r} is not of the form section.field=value.")
        if section not in Config.__dataclass_fields__:
            known = ", ".join(Config.__dataclass_fields__)
            raise UserError(f"--set {text!r}: the sections are {known}.")
        result.setdefault(section, {})[field] = _parse(text, value)
    return result


def _parse(text, value):
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UserError(f"--set {text!r}: the value is not YAML.") from error
    # To YAML 1.1 a number such as 1e-3, without a point, is text.
    if isinstance(parsed, str):
        with contextlib.suppress(ValueError):
            return float(parsed)
    return parsed
