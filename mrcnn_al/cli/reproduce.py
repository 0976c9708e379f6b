"""`mrcnn-al reproduce`: the experiments of the thesis by the numbers of their figures."""

from dataclasses import replace
from pathlib import Path

import click

from mrcnn_al.cli.settings import (
    data_options,
    overrides,
    preset_option,
    scale_option,
    with_options,
)
from mrcnn_al.errors import UserError, nearest

_PASSES = "passes"
_FOR_FIGURES = ("workers", "repeats")
_FOR_PASSES = ("run_folder", "iteration", "weights", "images")


@click.command()
@click.argument("experiment", required=False)
@click.option("--list", "listed", is_flag=True, help="Show the table of all experiments.")
@click.option("--markdown", is_flag=True, help="With --list: the table of docs/experiments.md.")
@with_options(data_options)
@scale_option
@click.option("--subset", help="Other images than the thesis's, for trying it out; such as toy.")
@preset_option(default=None, help="Settings to start from.  [default: thesis]")
@click.option("--repeats", type=int, help="Seeds.  [default: 3, as in the thesis]")
@click.option("--seed", type=int, help="Of the first repeat.  [default: 0]")
@click.option("--iterations", type=int, help="Turns of the loop.  [default: the thesis's]")
@click.option(
    "--start-weights", help="In place of the thesis's ImageNet or COCO weights: a file or a name."
)
@click.option("--workers", type=int, help="Runs at the same time.  [default: 1]")
@click.option("--out", type=click.Path(), help="Folder of it all.  [default: runs/EXPERIMENT]")
@click.option("--run", "run_folder", type=click.Path(), help="passes: the run of a trained model.")
@click.option("--iteration", type=int, help="passes: of --run.  [default: the last]")
@click.option("--weights", help="passes: a trained model's file, instead of a run.")
@click.option("--images", type=int, help="passes: how many to rank.  [default: 1500]")
@click.option(
    *("-o", "--set", "assignments"),
    multiple=True,
    metavar="SECTION.FIELD=VALUE",
    help="Any setting, for all lines.",
)
def reproduce(experiment, listed, markdown, assignments, **options):
    """Run an experiment of the thesis, draw its figure, set our numbers beside its own.

    EXPERIMENT is fig5.1 to fig5.17, carry, or passes. Called again, it goes on where it was
    stopped; more --repeats may be asked for.

    \b
    mrcnn-al reproduce --list
    mrcnn-al reproduce fig5.13 --data stage1_train.zip
    mrcnn-al reproduce fig5.1 --data stage1_train.zip --preset cpu --scale 0.2 --repeats 1
    mrcnn-al reproduce passes --data coco2017/ --run runs/fig5.14/repeat_01/mask
    """
    if listed or markdown:
        _list(experiment, markdown, options["scale"], options["repeats"])
        return
    if experiment is None:
        raise UserError("Name an experiment, such as fig5.13; --list shows them all.")
    from mrcnn_al.experiments.plans import Choices

    given = overrides({}, assignments)
    data = options["data"]
    chosen = {
        "preset": options["preset"],
        "repeats": options["repeats"],
        "seed": options["seed"],
        "data": None if data is None else str(Path(data).resolve()),
        "subset": options["subset"],
        "scale": options["scale"],
        "iterations": options["iterations"],
        "start_weights": _start_weights(options["start_weights"]),
        "skip_broken": options["skip_broken"],
        "overrides": given,
    }
    choices = Choices(**{name: value for name, value in chosen.items() if value is not None})
    is_study = experiment == _PASSES
    for name in _FOR_FIGURES if is_study else _FOR_PASSES:
        if options[name] is not None:
            option = f"--{name.removesuffix('_folder')}"
            raise UserError(f"{option} is {'not ' if is_study else ''}for the experiment passes.")
    if is_study:
        folder = Path(options["out"] or Path("runs", _PASSES))
        _study_passes(folder, choices, assignments, options)
    else:
        _reproduce(experiment, choices, options)


def _list(experiment, markdown, scale, repeats):
    from mrcnn_al.experiments import listing

    if experiment is not None:
        raise UserError("--list shows all experiments; leave the name out.")
    if markdown:
        click.echo(listing.as_markdown(), nl=False)
        return
    repeats = listing.THESIS_REPEATS if repeats is None else repeats
    click.echo(listing.as_text(listing.list_rows(scale, repeats)))
    click.echo(
        "\nImage-steps: images that pass through training in all lines of "
        f"{repeats} repeat{'s' * (repeats > 1)}; "
        "the models on all data and the scoring of the pool come on top."
    )


def _start_weights(name):
    """A file is found from whatever folder a run is started in."""
    if name is None or name in ("coco", "imagenet", "none"):
        return name
    return str(Path(name).resolve())


def _reproduce(name, choices, options):
    from mrcnn_al.experiments.listing import as_text
    from mrcnn_al.experiments.reproduction import reproduce as run
    from mrcnn_al.experiments.table import find_experiment

    experiment = find_experiment(name)
    folder = Path(options["out"] or Path("runs", experiment.name))
    workers = 1 if options["workers"] is None else options["workers"]
    table = run(experiment, folder, choices, workers, options["cache"], click.echo)
    click.echo(as_text(table.rows, table.columns))
    click.echo(table.note)
    click.echo(f"figure: {folder / experiment.name}.png")
    click.echo(f"page: {folder / experiment.name}.html")


def _study_passes(folder, choices, assignments, options):
    from mrcnn_al.cli.backend import import_backend
    from mrcnn_al.experiments.listing import as_text
    from mrcnn_al.experiments.passes_run import check_free, choose_images, run_study
    from mrcnn_al.experiments.passes_study import overlap_table, write_passes
    from mrcnn_al.run_store import cache_beside

    check_free(folder)
    cache = cache_beside(folder) if options["cache"] is None else options["cache"]
    trained, run_folder = _find_model(folder, choices, assignments, cache, options)
    run = trained.config.run
    images = choose_images(run, run_folder, options["images"], cache)
    click.echo(
        f"{len(images.image_ids)} of {images.available} unlabelled images, scored with "
        f"{trained.weights}"
    )
    import_backend(trained.config)
    model, confidence = trained.load(), trained.config.sampling.min_confidence
    result = run_study(model, trained.weights, images, folder, run.seed, confidence)
    table = overlap_table(result)
    page = write_passes(folder, result, str(trained.weights))
    click.echo(as_text(table.rows, table.columns))
    click.echo(table.note)
    click.echo(f"figure: {folder / 'passes.png'}")
    click.echo(f"page: {page}")


def _find_model(folder, choices, assignments, cache, options):
    """A trained model and the folder of its run, if it has one; trained here if none is named."""
    from mrcnn_al.cli.trained import find_trained
    from mrcnn_al.config import Config
    from mrcnn_al.datasets.subset_table import SUBSETS
    from mrcnn_al.experiments.image_settings import settings_for_images
    from mrcnn_al.experiments.passes_run import train_model
    from mrcnn_al.experiments.passes_study import STUDY_SUBSET
    from mrcnn_al.experiments.plans import merged

    run_folder, weights = options["run_folder"], options["weights"]
    if run_folder is None and weights is None:
        run_folder = train_model(choices, folder, cache, click.echo)
        return find_trained(run_folder, options["iteration"], None, None, None, ()), run_folder
    for name in ("iterations", "start_weights"):
        if options[name] is not None:
            option = "--" + name.replace("_", "-")
            raise UserError(f"{option} is for a model that is trained here, without --run.")
    subset = choices.subset or STUDY_SUBSET
    if weights is not None:
        if subset not in SUBSETS:
            raise UserError(f"Unknown subset {subset!r}. {nearest(subset, SUBSETS)}")
        names = ",".join(SUBSETS[subset].classes)
        trained = find_trained(run_folder, None, weights, choices.preset, names, ())
        settings = merged(settings_for_images(choices.preset, subset), choices.overrides)
        trained = replace(trained, config=Config.preset(choices.preset, **settings))
    else:
        number, preset = options["iteration"], options["preset"]
        trained = find_trained(run_folder, number, None, preset, None, assignments)
    run = trained.config.run
    if run.learner != "mask_rcnn":
        raise UserError(f"The run {run_folder} trained a {run.learner}, which is no mask_rcnn.")
    if run_folder is not None and choices.subset not in (None, run.subset):
        raise UserError(f"The run {run_folder} is of {run.subset}, not of {choices.subset}.")
    if run_folder is None:
        run = replace(run, subset=subset, scale=options["scale"], seed=choices.seed)
    elif options["scale"] is not None or options["seed"] is not None:
        raise UserError("--scale and --seed are those of the run; leave them out with --run.")
    if choices.data is not None:
        run = replace(run, data=choices.data)
    run = replace(run, skip_broken=run.skip_broken or choices.skip_broken)
    return replace(trained, config=replace(trained.config, run=run)), run_folder
