"""What an experiment of the thesis is, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mrcnn_al.comparison.plan import Arm
from mrcnn_al.datasets.subset_table import SUBSETS

CURVES, BALANCE = "curves", "balance"
SCRATCH = "none"

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Reported:
    """A number that the thesis gives.

    Attributes:
        labelled: images, in the thesis's own size of the experiment.
        share: of the performance that `of` names, from 0 to 1.
        of: `full data`, a model trained on all images; or `best`, the best of the figure.
        arms: the lines that it is about; all where it does not say.
        at_least: the thesis says that it is more than `share`.
    """

    labelled: int
    share: float
    of: str = "full data"
    arms: tuple[str, ...] = ()
    at_least: bool = False

    def text(self) -> str:
        """As the thesis would write it."""
        return f"{'> ' if self.at_least else ''}{100 * self.share:.4g} %"


@dataclass(frozen=True)
class Experiment:
    """A figure of the thesis, or a study.

    Attributes:
        name: `fig5.1`, ...
        title: what is compared.
        subset: of the images, one of SUBSETS.
        arms: the lines of the figure; their settings are on top of all others.
        weights: that every line starts from: `none`, `imagenet` or `coco`; None where that is
            what the lines differ in.
        iterations: turns of the loop.
        epochs: passes over the labelled images in each iteration.
        batch: images a query.
        labelled: images labelled at the start.
        settings: other settings that all lines have in common, by section.
        finding: what the thesis reported, in words.
        reported: what it reported in numbers.
        reading: what was read into the thesis where it is silent.
        kind: `curves`, mAP over labelled images; or `balance`, how evenly the batches show the
            classes.
    """

    name: str
    title: str
    subset: str
    arms: tuple[Arm, ...]
    weights: str | None
    iterations: int
    epochs: int
    batch: int
    labelled: int
    settings: Settings = field(default_factory=dict)
    finding: str = ""
    reported: tuple[Reported, ...] = ()
    reading: str = ""
    kind: str = CURVES

    def __post_init__(self):
        if self.subset not in SUBSETS:
            raise ValueError(f"{self.name}: there is no subset {self.subset!r}.")
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError(f"{self.name}: two arms have the same name.")
        for point in self.reported:
            self.iteration_of(point.labelled)
            if set(point.arms) - set(names):
                raise ValueError(f"{self.name}: a number is reported of an arm that is not there.")

    @property
    def train(self) -> int:
        """The images of the pool, labelled ones included."""
        return SUBSETS[self.subset].counts.train

    @property
    def last_labelled(self) -> int:
        """The images labelled in the last iteration."""
        return self.labelled + (self.iterations - 1) * self.batch

    def iteration_of(self, labelled: int) -> int:
        """The iteration that trains on so many labelled images.

        Raises:
            ValueError: none does.
        """
        turns, rest = divmod(labelled - self.labelled, self.batch)
        if rest or not 0 <= turns < self.iterations:
            raise ValueError(f"{self.name}: no iteration has {labelled} labelled images.")
        return turns + 1

    def start_weights(self, arm: Arm) -> str:
        """The weights that a line starts from."""
        return arm.settings.get("run", {}).get("weights", self.weights)
