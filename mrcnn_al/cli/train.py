"""`mrcnn-al train`: the active learning loop."""

import dataclasses
import datetime
from pathlib import Path

import click

from mrcnn_al.cli.backend import import_backend
from mrcnn_al.cli.settings import (
    assignment_option,
    data_options,
    overrides,
    preset_option,
    scale_option,
    with_options,
)
from mrcnn_al.cli.workers import (
    check_workers,
    connection,
    count_workers,
    leave_gpu_memory,
    make_scoring,
    worker_options,
)
from mrcnn_al.config import Config
from mrcnn_al.config.learner_settings import check_learner_settings
from mrcnn_al.errors import UserError

_MOST_PROBLEMS = 20
# Written out, because to ask for them imports too much for a help text.
_STRATEGIES = (
    "core-set, entropy, least-confident, margin, mask, mask-class, maskal, random, "
    "random-balanced, semi"
)


@click.command()
@click.option("--subset", help="dsb, coco2 to coco5, or toy.  [default: with --data own, else toy]")
@scale_option
@click.option(
    "--learner", help="mask_rcnn, unet, or one of a package of yours.  [default: mask_rcnn]"
)
@click.option("--strategy", default=None, help=f"{_STRATEGIES}.  [default: semi]")
@preset_option(default=None, help="Settings to start from.  [default: cpu]")
@with_options(data_options)
@click.option("--out", type=click.Path(), help="Folder of the run.  [default: a new one in runs/]")
@click.option(
    "--resume", is_flag=True, help="Continue the run in --out; start it if there is none."
)
@click.option("--iterations", type=int, help="Turns of the loop.")
@click.option("--labelled", type=int, help="Images labelled at the start.")
@click.option("--batch", type=int, help="Images labelled in each iteration.")
@click.option("--epochs", type=int, help="Passes over the labelled images in each iteration.")
@click.option("--steps-per-epoch", type=int, help="Batches an epoch.  [default: one pass]")
@click.option("--images-per-batch", type=int, help="Images in a training batch.")
@click.option("--learning-rate", type=float)
@click.option("--layers", help="Layers to train: heads, 3+, 4+, 5+ or all.")
@click.option("--backbone", help="resnet50, resnet101 or efficientnet_lite0.")
@click.option("--passes", type=int, help="Stochastic passes over each unlabelled image.")
@click.option("--min-confidence", type=float, help="Detections below it do not count in scores.")
@click.option("--balanced", is_flag=True, default=None, help="As many of each predicted class.")
@click.option(
    "--skip-undetected", is_flag=True, default=None, help="Leave out images without detections."
)
@click.option(
    "--shuffle/--no-shuffle",
    default=None,
    help="Images that are equally uncertain in random order, or by id.  [default: no-shuffle]",
)
@click.option(
    "--aggregate",
    help="max, mean or sum over an image's instances.  [default: max, of maskal mean]",
)
@click.option("--zones", help="Cut the zones by rank or by value.")
@click.option("--pseudo-threshold", type=float, help="Pseudo-labels below it, pixels.")
@click.option("--pseudo-from", type=int, help="First iteration that makes pseudo-labels.")
@click.option(
    "--pseudo-labels",
    help="refresh: new ones in each iteration; keep: until the oracle labels the image.  "
    "[default: refresh]",
)
@click.option("--weights", help="coco, imagenet, last, none, or a file.")
@click.option("--exclude-heads", is_flag=True, help="Leave out what depends on the classes.")
@click.option("--exclude", multiple=True, metavar="NAME", help="Leave out this layer.")
@click.option("--carry-weights/--restart-weights", default=None, help="Go on from the last model.")
@click.option(
    "--new-labels",
    help="add: train on all that is labelled; replace: on the newest batch.  [default: add]",
)
@click.option("--seed", type=int, help="Fixes all that is drawn.")
@with_options(worker_options("Processes that score images of the pool"))
@assignment_option
def train(out, resume, cache, workers, ray, **options):
    """Train, find the images worth labelling, label them, and go round again.

    A run leaves everything in one folder: weights, metrics, scores and batches of each
    iteration, curve.csv, and report.html to look at.
    """
    check_workers(workers)
    folder = Path(out) if out else _new_folder(options)
    if resume and not out:
        raise UserError("--resume needs --out, the folder of the run to continue.")
    resuming = resume and (folder / "config.yaml").is_file()
    if resume and not resuming:
        click.echo(f"There is no run in {folder} to resume: a new one begins.")
    config = _resumed(folder, options) if resuming else _fresh(folder, options)
    given = given_settings(options)
    _check_used(config, given)
    derive_batch = not resuming and "batch" not in given.get("strategy", {})
    with connection(ray) as cluster:
        workers = count_workers(workers, cluster)
        _run(config, folder, resuming, cache, derive_batch, workers, cluster)


def _new_folder(options):
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return Path("runs") / f"{now}-{subset_name(options)}-{options['strategy'] or 'semi'}"


def subset_name(options):
    """The image set that is meant where none is named, too."""
    from mrcnn_al.datasets.own_data import OWN

    return options["subset"] or (OWN if options["data"] else "toy")


def given_settings(options):
    """What the options say, by section and field.

    Raises:
        UserError: an assignment is none, or of what follows from the image set.
    """
    values = overrides(options, options["assignments"])
    exclude = (*options["exclude"], *(("heads",) if options["exclude_heads"] else ()))
    if exclude:
        values.setdefault("run", {})["exclude"] = exclude
    if options["data"] is not None:
        values["run"]["data"] = str(Path(options["data"]).resolve())
    followed = (("model", "num_classes"), ("unet", "num_classes"), ("run", "class_names"))
    for section, field in followed:
        if field in values.get(section, {}):
            raise UserError(f"{section}.{field} follows from the image set; leave it out.")
    return values


def _check_used(config, given):
    """What somebody asks for is used, or refused."""
    from mrcnn_al.strategies.factory import check_strategy_settings

    check_learner_settings(config.run.learner, given)
    check_strategy_settings(config.strategy.name, given.get("strategy", {}))


def _fresh(folder, options):
    given = given_settings(options)
    if given.get("run", {}).get("weights") == "last":
        given["run"]["weights"] = str(_last_weights(folder))
    return Config.for_subset(options["preset"] or "cpu", subset_name(options), **given)


def _resumed(folder, options):
    """The configuration of the run; only --iterations and --data may say otherwise."""
    from mrcnn_al.run_store import RunStore

    store = RunStore.open(folder)
    config = Config.from_yaml(store.read_config(), str(store.config_path))
    given = given_settings(options)
    for name, field in (("subset", "subset"), ("preset", "preset_name")):
        if options[name] is not None:
            given.setdefault("run", {})[field] = options[name]
    iterations = given.get("run", {}).pop("iterations", config.run.iterations)
    done = store.read_pool().iteration - 1 if store.pool_path.exists() else 0
    if iterations < done:
        raise UserError(f"The run in {folder} has done {done} iterations, more than {iterations}.")
    data = given.get("run", {}).pop("data", config.run.data)
    for section, values in given.items():
        for name, value in values.items():
            had = getattr(getattr(config, section), name, None)
            value = tuple(value) if isinstance(value, list) else value
            if value != had and not (name == "weights" and value == "last"):
                raise UserError(
                    f"The run in {folder} has {section}.{name} = {had!r}, not {value!r}. "
                    "A resumed run keeps its settings; only --iterations and --data may change."
                )
    return dataclasses.replace(
        config, run=dataclasses.replace(config.run, iterations=iterations, data=data)
    )


def _last_weights(folder):
    found = sorted(
        folder.parent.glob("*/iteration_*/weights.h5"), key=lambda path: path.stat().st_mtime
    )
    if not found:
        raise UserError(f"There are no weights of an earlier run in {folder.parent}.")
    return found[-1].resolve()


def _run(config, folder, resuming, cache, derive_batch, workers, cluster):
    from mrcnn_al.datasets.own_data import OWN
    from mrcnn_al.datasets.subsets import open_subset
    from mrcnn_al.run_store import RunStore, cache_beside
    from mrcnn_al.strategies.factory import strategy_from_config

    store = RunStore(folder)
    if not resuming:
        store.check_free()
    strategy = strategy_from_config(config.strategy)
    cache = cache or cache_beside(folder)
    subset = open_subset(
        config.run.subset,
        config.run.data,
        cache,
        config.run.seed,
        config.run.skip_broken,
        config.run.labelled,
        config.run.scale,
    )
    skipped = subset.dataset.skipped
    for problem in skipped[:_MOST_PROBLEMS]:
        click.echo(f"left out: {problem}", err=True)
    if len(skipped) > _MOST_PROBLEMS:
        click.echo(f"left out: {len(skipped) - _MOST_PROBLEMS} more", err=True)
    if derive_batch and (config.run.subset == OWN or config.run.scale is not None):
        # A set of 100 images is not labelled 40 at a time.
        batch = min(config.strategy.batch, len(subset.labelled))
        config = dataclasses.replace(
            config, strategy=dataclasses.replace(config.strategy, batch=batch)
        )
    click.echo(f"{subset.summary()}; {config.strategy.batch} more in each iteration")
    if config.run.subset == OWN:
        _look_at_own(subset.dataset, resuming or config.run.skip_broken)
    config = config.fitted_to(subset.dataset.class_names)

    leave_gpu_memory(workers, cluster)
    import_backend(config)
    from mrcnn_al.evaluation.learning_curve import read_curve
    from mrcnn_al.loop import ActiveLearning
    from mrcnn_al.oracle import HiddenTruthOracle
    from mrcnn_al.report.html import write_report
    from mrcnn_al.report.terminal import draw_learning_curves

    oracle = HiddenTruthOracle(subset.dataset)
    scoring = make_scoring(config, cache, workers, cluster)
    learning = ActiveLearning(config, subset, strategy, oracle, store, click.echo, scoring)
    if not resuming:
        RunStore.create(folder, config.to_yaml())
    with store.lock():
        store.write_config(config.to_yaml())
        if cluster is not None:
            click.echo(f"scoring by {workers} workers on a {cluster}")
            cluster.check(store.config_path, [Path(cache), *_data_paths(config)])
        click.echo(f"run: {folder}")
        learning.run()
        report = write_report(folder)
    click.echo(draw_learning_curves({config.strategy.name: read_curve(store.curve_path)}))
    click.echo(f"report: {report}")


def _look_at_own(dataset, looked_at):
    """What nobody has looked at yet: broken files, and images that may only not be labelled."""
    from mrcnn_al.datasets.image_check import check_images

    if not looked_at:
        check_images(dataset)
    empty = sum(dataset.instance_count(image_id) == 0 for image_id in dataset.image_ids)
    if empty == len(dataset.image_ids):
        raise UserError(
            "No image has an annotation that can be used: an outline (polygons) or a mask (RLE) "
            "is needed, boxes alone will not do."
        )
    if empty:
        click.echo(
            f"{empty} of {len(dataset.image_ids)} images have no annotations and count as images "
            "that show nothing. Leave out of the file what nobody has labelled."
        )


def _data_paths(config):
    return [] if config.run.data is None else [Path(config.run.data)]
