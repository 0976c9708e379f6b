"""`mrcnn-al compare`: several strategies, several seeds, and the statistics."""

import datetime
from pathlib import Path

import click

from mrcnn_al.cli.settings import with_options
from mrcnn_al.cli.train import given_settings, subset_name, train
from mrcnn_al.cli.workers import check_workers, connection, count_workers, worker_options
from mrcnn_al.config.learner_settings import check_learner_settings
from mrcnn_al.errors import UserError

# Of `train`, what a comparison asks for in another way.
_NOT_SHARED = ("strategy", "out", "resume", "workers", "ray")
# What the others are compared with must stay random sampling.
_BASELINE = "random"
_NOT_OF_BASELINE = ("balanced", "skip_undetected")


@click.command()
@click.option(
    "--strategies",
    default="random,mask,semi",
    show_default=True,
    help="Names as of `train --strategy`, with commas between them.",
)
@click.option("--repeats", type=int, default=5, show_default=True, help="Seeds.")
@with_options(worker_options("Runs"))
@click.option(
    "--full-data/--no-full-data",
    default=True,
    help="In each repeat train a model on the whole pool, too.  [default: full-data]",
)
@click.option(
    "--full-epochs",
    type=int,
    help="Of that model.  [default: as many steps as a whole run has]",
)
@click.option(
    "--out", type=click.Path(), help="Folder of the comparison.  [default: a new one in runs/]"
)
def compare(strategies, repeats, workers, ray, full_data, full_epochs, out, cache, **options):
    """Run several strategies from the same models and splits, several times.

    Each run is one of `train`, in a folder of its own; --seed is that of the first repeat.
    Called again with the same --out, it goes on where it was stopped, also with more --repeats.
    report.html and summary.json hold learning curves with their intervals, areas under them,
    break-even points, the labels saved, and paired tests against random, which --balanced and
    --skip-undetected leave as it is.
    """
    from mrcnn_al.comparison.runner import RunsFailed, run_plan
    from mrcnn_al.run_store import cache_beside

    check_workers(workers)
    folder = Path(out) if out else _new_folder(options)
    cache = cache or cache_beside(folder)
    full_settings = {} if full_epochs is None else {"training": {"epochs": full_epochs}}
    plan = _plan(strategies, repeats, full_data, full_settings, cache, options)
    click.echo(f"comparison: {folder}")
    try:
        with connection(ray) as cluster:
            workers = count_workers(workers, cluster)
            if cluster is not None:
                click.echo(f"{workers} runs at the same time on a {cluster}")
            # print, unlike click.echo, leaves a progress bar in one piece.
            run_plan(plan, folder, workers, cache, print, True, cluster)
    except RunsFailed:
        _show(folder)
        raise
    _show(folder)


compare.params += [param for param in train.params if param.name not in _NOT_SHARED]


def _new_folder(options):
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    return Path("runs") / f"{now}-compare-{subset_name(options)}"


def _plan(strategies, repeats, full_data, full_settings, cache, options):
    from mrcnn_al.comparison.plan import Arm, Plan

    settings = given_settings(options)
    of_strategies = settings.pop("strategy", {})
    run = settings.get("run", {})
    if "name" in of_strategies:
        raise UserError("strategy.name is what --strategies is for; leave it out.")
    if run.get("weights") == "last":
        raise UserError(
            "--weights last would be others when the comparison goes on; name the file."
        )
    check_learner_settings(run.get("learner", "mask_rcnn"), settings)
    seed = run.pop("seed", 0)
    if "batch" in of_strategies:
        settings["strategy"] = {"batch": of_strategies.pop("batch")}
    names = [name.strip() for name in strategies.split(",")]
    if "" in names:
        raise UserError(f"--strategies {strategies!r} has an empty name between its commas.")
    shares = _shared_out(of_strategies, names)
    arms = tuple(Arm(name, {"strategy": {"name": name, **shares[name]}}) for name in names)
    preset, subset = options["preset"] or "cpu", subset_name(options)

    def plan() -> Plan:
        return Plan(subset, preset, arms, repeats, seed, settings, full_data, full_settings)

    if "strategy" not in settings:
        settings["strategy"] = {"batch": _batch(plan().config(arms[0]), cache)}
    return plan()


def _shared_out(given, names):
    """Each setting to the strategies that understand it, of which there must be one.

    Those that would make something else of random sampling are for the others.
    """
    from mrcnn_al.strategies.factory import check_strategy_settings

    shares = {name: {} for name in names}
    for field, value in given.items():
        refusal = None
        takers = []
        for name in names:
            try:
                check_strategy_settings(name, [field])
            except UserError as error:
                refusal = error
            else:
                takers.append(name)
        if not takers:
            raise refusal
        if field in _NOT_OF_BASELINE:
            takers = [name for name in takers if name != _BASELINE] or takers
        for name in takers:
            shares[name][field] = value
    return shares


def _batch(config, cache):
    """As `train` has it: a set of 100 images is not labelled 40 at a time."""
    from mrcnn_al.datasets.own_data import OWN
    from mrcnn_al.datasets.subsets import open_subset

    run, batch = config.run, config.strategy.batch
    if run.subset != OWN and run.scale is None:
        return batch
    subset = open_subset(
        run.subset, run.data, cache, run.seed, run.skip_broken, run.labelled, run.scale
    )
    return min(batch, len(subset.labelled))


def _show(folder):
    from mrcnn_al.comparison.analysis import analyse
    from mrcnn_al.comparison.results import read_results
    from mrcnn_al.comparison.store import ComparisonStore
    from mrcnn_al.comparison.summary import mean_points, summary_table
    from mrcnn_al.report.terminal import draw_learning_curves

    analysis = analyse(read_results(folder))
    click.echo(draw_learning_curves({arm.name: mean_points(arm) for arm in analysis.arms}))
    click.echo()
    click.echo(summary_table(analysis))
    click.echo(f"report: {ComparisonStore(folder).report_path}")
