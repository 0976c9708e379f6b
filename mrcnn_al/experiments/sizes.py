"""How many images an experiment has when it is run on fewer, or on others."""

import math
from dataclasses import dataclass, replace

from mrcnn_al.comparison.plan import Plan
from mrcnn_al.datasets.subset_table import SUBSETS
from mrcnn_al.errors import UserError, nearest
from mrcnn_al.experiments.experiment import Experiment

# The least that gives one image of each zone and one at random.
_SMALLEST_ZONED_BATCH = 4
_ZONED = ("mask", "semi", "mask-class")


@dataclass(frozen=True)
class Sizes:
    """The numbers of an experiment that depend on the number of images.

    Attributes:
        subset: of the images.
        train: images of the pool, labelled ones included.
        labelled: images labelled at the start.
        batch: images a query.
        iterations: turns of the loop; fewer than the experiment's where batches cannot be as small
            as the images are few, so that the last turn has the experiment's share of them.
    """

    subset: str
    train: int
    labelled: int
    batch: int
    iterations: int

    def labelled_at(self, iteration: int) -> int:
        """The images labelled in an iteration, from 1."""
        return min(self.labelled + (iteration - 1) * self.batch, self.train)

    def iteration_with(self, share: float) -> int:
        """The iteration, from 1 and beyond the last, with nearly a share of the pool labelled."""
        queries = (share * self.train - self.labelled) / self.batch
        return 1 + max(math.floor(queries + 0.5), 0)


def fit_sizes(
    experiment: Experiment,
    subset: str | None = None,
    scale: float | None = None,
    iterations: int | None = None,
) -> Sizes:
    """The sizes of an experiment, shrunk in proportion to the images for training.

    What is labelled at the start and in each batch keeps its share of the pool, with at least
    as many images as there are classes, and batches that are drawn from zones at least 4. What
    is labelled in the end keeps its share, too, after at least one query.

    Args:
        experiment: as the thesis has it.
        subset: another image set than the thesis's, for trying it out.
        scale: a smaller set, see `SubsetRow.scaled`.
        iterations: in place of the experiment's.

    Raises:
        UserError: no subset has that name, or `scale` or `iterations` is out of range.
    """
    name = subset or experiment.subset
    if name not in SUBSETS:
        raise UserError(f"Unknown subset {name!r}. {nearest(name, SUBSETS)}")
    if iterations is not None and iterations < 1:
        raise UserError(f"--iterations is {iterations}; give 1 or more.")
    row, own = SUBSETS[name], SUBSETS[experiment.subset]
    counts = row.scaled(scale)
    fraction = counts.train / own.counts.train

    def shrunk(images: int) -> int:
        if row is own and images == own.counts.labelled:
            return counts.labelled
        return max(len(row.classes), math.floor(fraction * images + 0.5))

    labelled, batch = min(shrunk(experiment.labelled), counts.train), shrunk(experiment.batch)
    if any(arm.settings["strategy"]["name"] in _ZONED for arm in experiment.arms):
        batch = max(batch, _SMALLEST_ZONED_BATCH)
    most = 1 + math.ceil((counts.train - labelled) / batch)
    wanted = experiment.iterations if iterations is None else iterations
    sizes = Sizes(name, counts.train, labelled, batch, min(wanted, most))
    if iterations is None:
        last = max(sizes.iteration_with(experiment.last_labelled / experiment.train), 2)
        sizes = replace(sizes, iterations=min(sizes.iterations, last))
    return sizes


def sizes_of(plan: Plan) -> Sizes:
    """The sizes of an experiment that has been planned, whatever its plan was made from."""
    config = plan.config(plan.arms[0])
    train = SUBSETS[plan.subset].scaled(config.run.scale).train
    run, batch = config.run, config.strategy.batch
    return Sizes(plan.subset, train, run.labelled, batch, run.iterations)


def image_steps(experiment: Experiment, sizes: Sizes) -> int:
    """Images that pass through the training of all lines in one repeat, each as often as it does.

    The model on all data comes on top, and so does the scoring of the pool.
    """
    total = 0
    for arm in experiment.arms:
        replaced = arm.settings.get("run", {}).get("new_labels") == "replace"
        for iteration in range(1, sizes.iterations + 1):
            before = sizes.labelled_at(iteration - 1) if replaced and iteration > 1 else 0
            total += sizes.labelled_at(iteration) - before
    return total * experiment.epochs
