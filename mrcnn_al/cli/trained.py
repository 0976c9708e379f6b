"""A trained model by the options that name it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from mrcnn_al.cli.settings import assignment_option, overrides, preset_option
from mrcnn_al.config import Config
from mrcnn_al.errors import UserError

model_options = [
    click.option("--run", "run_folder", type=click.Path(), help="Folder of a run."),
    click.option("--iteration", type=int, help="Of the run.  [default: the last]"),
    click.option(
        "--weights", help="A file in Matterport's layout, or a U-Net's, instead of a run."
    ),
    preset_option(default=None, help="Settings for --weights.  [default: cpu]"),
    click.option(
        "--class-names", help="Classes 1, 2, ... for --weights, with commas.  [default: nucleus]"
    ),
    assignment_option,
]


@dataclass(frozen=True)
class Trained:
    """What a model was trained as, and the file of its weights.

    Attributes:
        config: of the run, or a preset; it says which learner that is.
        weights: the h5 file.
        class_names: of classes 1, 2, ...
    """

    config: Config
    weights: Path
    class_names: tuple[str, ...]

    def load(self):
        """The model with its weights."""
        from mrcnn_al.learners.factory import learner_class

        model = learner_class(self.config).make_model(self.config.fitted_to(self.class_names))
        model.load_weights(self.weights)
        return model

    def measure(self, model, dataset, image_ids) -> dict[str, Any]:
        """The metrics of that model on some images; see `Learner.measure`."""
        from mrcnn_al.learners.factory import learner_class

        return learner_class(self.config).measure(model, dataset, image_ids)


def find_trained(run_folder, iteration, weights, preset, class_names, assignments) -> Trained:
    """Finds what the options name, without loading it.

    Raises:
        UserError: neither or both of a run and a file are named, or they are not there.
    """
    if (run_folder is None) == (weights is None):
        raise UserError("Name a trained model with either --run FOLDER or --weights FILE.")
    given = overrides({}, assignments)
    for option, value, beside in (
        ("--iteration", iteration, "--run"),
        ("--preset", preset, "--weights"),
        ("--class-names", class_names, "--weights"),
    ):
        if value is not None and (run_folder if beside == "--run" else weights) is None:
            raise UserError(f"{option} goes with {beside} only.")
    if weights is not None:
        if not Path(weights).is_file():
            raise UserError(f"The weights file {weights} does not exist.")
        names = tuple((class_names or "nucleus").split(","))
        return Trained(Config.preset(preset or "cpu", **given), Path(weights), names)
    from mrcnn_al.run_store import RunStore

    store = RunStore.open(run_folder)
    config = Config.from_yaml(store.read_config(), str(store.config_path))
    for section, values in given.items():
        old = getattr(config, section)
        config = replace(config, **{section: old.from_dict({**old.to_dict(), **values})})
    trained = [files for files in store.iterations() if files.weights_path.exists()]
    chosen = [files for files in trained if iteration in (None, files.number)]
    if not chosen:
        have = ", ".join(str(files.number) for files in trained) or "none"
        raise UserError(f"{run_folder} has no trained iteration {iteration or ''}; it has: {have}.")
    return Trained(config, chosen[-1].weights_path, config.run.class_names)
