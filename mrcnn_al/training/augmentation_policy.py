"""Which augmentations an image gets, and how much of each."""

from collections.abc import Callable, Iterator

import numpy as np

from mrcnn_al.config import TrainingConfig
from mrcnn_al.training import appearance, augmentation
from mrcnn_al.training.augmentation import View

MOST_OF_SOME = 2

Augmentation = Callable[[View, np.random.Generator], View]


def augment(view: View, training: TrainingConfig, rng: np.random.Generator) -> View:
    """Mirrors, turns and recolours a view at random.

    Args:
        view: what is augmented.
        training: which augmentations are enabled, and `augmentation_policy`. `some_of` draws how
            many of them act, each number from none to two equally likely, and then which; they
            act in the order of the fields. That is SomeOf((0, 2), [...]) of Matterport's
            nucleus.py.
        rng: of all draws.
    """
    enabled = list(_enabled(view, training))
    if training.augmentation_policy == "some_of":
        count = rng.integers(MOST_OF_SOME + 1)
        chosen = np.sort(rng.permutation(len(enabled))[:count])
        enabled = [enabled[index] for index in chosen]
    for change in enabled:
        view = change(view, rng)
    return view


def _enabled(view, training) -> Iterator[Augmentation]:
    if training.flips:
        yield _half_of_the_time(augmentation.flip)
    if training.vertical_flips:
        yield _half_of_the_time(augmentation.flip_vertically)
    # A turn by 90 degrees would change the size of the input.
    if training.rotations and view.image.shape[0] == view.image.shape[1]:
        yield _turned(least=1 if training.augmentation_policy == "some_of" else 0)
    factors = (
        (training.brightness_jitter, appearance.change_brightness),
        (training.contrast_jitter, appearance.change_contrast),
        (training.saturation_jitter, appearance.change_saturation),
    )
    for limits, change in factors:
        if limits != (1.0, 1.0):
            yield _drawn(limits, change)
    if training.hue_jitter:
        yield _drawn((-training.hue_jitter, training.hue_jitter), appearance.turn_hue)
    if training.blur_sigma != (0.0, 0.0):
        yield _drawn(training.blur_sigma, appearance.blur)


def _half_of_the_time(change):
    return lambda view, rng: change(view) if rng.random() < 0.5 else view


def _turned(least):
    def turned(view, rng):
        for _ in range(rng.integers(least, 4)):
            view = augmentation.turn(view)
        return view

    return turned


def _drawn(limits, change):
    return lambda view, rng: change(view, rng.uniform(*limits))
