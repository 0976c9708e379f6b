"""Running an experiment, and drawing its figure."""

import os
from collections.abc import Callable
from pathlib import Path

from mrcnn_al.comparison.plan import Plan
from mrcnn_al.comparison.results import Results
from mrcnn_al.comparison.runner import run_plan
from mrcnn_al.datasets.subset_table import SUBSETS
from mrcnn_al.errors import UserError
from mrcnn_al.experiments.batch_balance import (
    balance_chart,
    composition_charts,
    read_compositions,
)
from mrcnn_al.experiments.compared import learning_chart, reported_table
from mrcnn_al.experiments.experiment import BALANCE, Experiment
from mrcnn_al.experiments.plans import Choices, build_plan
from mrcnn_al.experiments.sizes import sizes_of
from mrcnn_al.experiments.start_weights import check_start_weights
from mrcnn_al.report.comparison_page import (
    ComparisonPage,
    Table,
    draw_chart,
    write_comparison_page,
)
from mrcnn_al.run_store import cache_beside


def reproduce(
    experiment: Experiment,
    folder: str | os.PathLike,
    choices: Choices,
    workers: int = 1,
    cache: str | os.PathLike | None = None,
    say: Callable[[str], None] = print,
) -> Table:
    """Runs an experiment, or what is left of it, and draws its figure.

    The runs are those of a comparison in `folder`, with its report and its statistics. The
    figure is `<name>.png` in it, the page that sets it beside the thesis `<name>.html`.

    Args:
        experiment: of the table.
        folder: new, or that of the same experiment with the same choices.
        choices: what is otherwise than in the thesis.
        workers: runs at the same time.
        cache: of the image sets; beside `folder` by default.
        say: takes lines for the user.

    Returns:
        The thesis's numbers beside ours.

    Raises:
        UserError: a choice is out of range, the images or start weights are not at hand, or the
            folder holds something else.
    """
    plan = build_plan(experiment, choices)
    if experiment.kind == BALANCE and len(SUBSETS[plan.subset].classes) < 2:
        raise UserError(f"{experiment.name} is about several classes; {plan.subset} has one.")
    check_start_weights(plan)
    say(_said(experiment, plan))
    cache = cache_beside(folder) if cache is None else cache
    results = run_plan(plan, folder, workers, cache, say)
    return write_figure(experiment, results, folder, cache)


def write_figure(
    experiment: Experiment,
    results: Results,
    folder: str | os.PathLike,
    cache: str | os.PathLike,
) -> Table:
    """Draws the figure of an experiment that has been run; see `reproduce`."""
    folder = Path(folder)
    charts = [learning_chart(experiment, results)]
    if experiment.kind == BALANCE:
        classes, compositions = read_compositions(folder, results.plan, cache)
        charts = [balance_chart(compositions), *composition_charts(classes, compositions), *charts]
    table = reported_table(experiment, results)
    draw_chart(folder / f"{experiment.name}.png", charts[0])
    page = ComparisonPage(
        f"{experiment.name}: {experiment.title}",
        " ".join(filter(None, (f"The thesis: {experiment.finding}", experiment.reading))),
        tuple(charts),
        (table,),
        (("statistics and single runs", "report.html"),),
    )
    write_comparison_page(folder / f"{experiment.name}.html", page)
    return table


def _said(experiment: Experiment, plan: Plan) -> str:
    sizes, epochs = sizes_of(plan), plan.config(plan.arms[0]).training.epochs
    last = sizes.labelled_at(sizes.iterations)
    text = (
        f"{experiment.name}: {experiment.title}\n"
        f"{', '.join(arm.name for arm in plan.arms)}; {sizes.iterations} iterations of "
        f"{epochs} epochs, {sizes.labelled} labelled images at the start "
        f"and {sizes.batch} more in each, {last} of {sizes.train} in the end; {plan.repeats} "
        f"repeat{'s' * (plan.repeats > 1)}, preset {plan.preset}"
    )
    shares = sizes.batch / sizes.train, experiment.batch / experiment.train
    if shares[0] > 1.5 * shares[1]:
        text += (
            f"\nBatches of {sizes.batch} are {shares[0]:.1%} of the images, the thesis's were "
            f"{shares[1]:.1%}: fewer would not reach all zones or classes. A larger "
            "--scale comes nearer."
        )
    return text
