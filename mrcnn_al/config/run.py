"""Settings of a run and of its strategy."""

from dataclasses import dataclass
from typing import ClassVar

from mrcnn_al.config.learner_settings import learner_names
from mrcnn_al.config.section import Section


@dataclass(frozen=True)
class StrategyConfig(Section):
    """What is labelled next.

    Attributes:
        name: of the strategy.
        batch: images a query.
        balanced: divide the batch evenly among the predicted classes.
        skip_undetected: leave out images in which no pass detected anything.
        shuffle: let a random order of the pool, not that of the image ids, decide between
            images that are equally uncertain. Off as in most experiments of the thesis.
        aggregate: `max`, `mean` or `sum` of the uncertainties of an image's instances; None
            means as the strategy is known for: max, and mean for `maskal`.
        zones: zones are cut by `rank` or by `value` of the normalised uncertainty.
        pseudo_threshold: images with less mask uncertainty get pseudo-labels, pixels.
        pseudo_from: the first iteration, from 1, that makes pseudo-labels.
        pseudo_labels: `refresh`: each iteration derives all of them anew; `keep`: an image that
            has one keeps it, and stays pseudo-labelled, until the oracle labels it.
    """

    name: str = "semi"
    batch: int = 40
    balanced: bool = False
    skip_undetected: bool = False
    shuffle: bool = False
    aggregate: str | None = None
    zones: str = "rank"
    pseudo_threshold: float = 50.0
    pseudo_from: int = 1
    pseudo_labels: str = "refresh"

    choices: ClassVar = {
        "zones": ("rank", "value"),
        "aggregate": (None, "max", "mean", "sum"),
        "pseudo_labels": ("refresh", "keep"),
    }
    bounds: ClassVar = {
        "batch": (1, 1000000),
        "pseudo_threshold": (0.0, 1e12),
        "pseudo_from": (1, 1000000),
    }


@dataclass(frozen=True)
class RunConfig(Section):
    """What is run.

    Attributes:
        subset: name of the image set and its split; `own` for a COCO folder of one's own.
        data: where its files are; None where they are made.
        preset_name: the preset that the settings started from.
        learner: what is trained: `mask_rcnn`, or `unet`, whose settings are a section of their
            own in place of `model`, or one that another package brings.
        seed: fixes splits, initial weights, order, augmentation, dropout and selections.
        iterations: turns of the loop.
        labelled: images labelled at the start; None means as the subset says.
        scale: a fraction of the subset's images, or a number of training images above 1; None
            means all of them.
        weights: coco, imagenet, none, or a file; of a U-Net none or a file.
        exclude: names of layers that the weights leave alone; `heads` for all that depend
            on the number of classes.
        carry_weights: an iteration starts from the weights of the one before.
        new_labels: `add`: an iteration trains on all that is labelled; `replace`: from the second
            on, only on the batch labelled last (frameworks 2 and 4 of the thesis).
        skip_broken: leave out image files that cannot be read.
        class_names: of classes 1, 2, ...; filled in from the image set.
    """

    subset: str = "toy"
    data: str | None = None
    preset_name: str = "cpu"
    learner: str = "mask_rcnn"
    seed: int = 0
    iterations: int = 5
    labelled: int | None = None
    scale: float | None = None
    weights: str = "imagenet"
    exclude: tuple[str, ...] = ()
    carry_weights: bool = True
    new_labels: str = "add"
    skip_broken: bool = False
    class_names: tuple[str, ...] = ()

    choices: ClassVar = {"learner": learner_names, "new_labels": ("add", "replace")}
    bounds: ClassVar = {
        "iterations": (1, 100000),
        "seed": (0, 2**31 - 1),
        "labelled": (1, 100000000),
        "scale": (0, 100000000),
    }
