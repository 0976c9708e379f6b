"""Between the layers of keras.applications' ResNets (version 1) and Matterport's.

What differs besides the names:

* Batch normalisation there adds 1.001e-5 to the variance, here 1e-3. Gamma is rescaled by the
  ratio of the two square roots, which makes up for it exactly as long as the moving statistics
  are the ones used (`frozen_batch`). The old files were made for 1e-3.
* Before the first pooling, keras.applications pads one row and column on every side, Matterport
  (and Keras when the old files were made) below and to the right only. From there on our feature
  maps see the image one pixel of the stem's output, two of the image, further down and right.
  No weight can make up for that; the values at corresponding places are the same.
* Strides are the same: a stage's is on its first 1 x 1 convolution and on the shortcut.
* All of Keras's ImageNet ResNets expect BGR with the mean subtracted, Matterport feeds RGB. The
  files are converted as they are; see `ModelConfig.imagenet_rgb_stem`.
"""

import re
import string
from collections.abc import Iterable

import numpy as np

from mrcnn_al.weights.weight import Layers, Weight

KERAS_EPSILON, OUR_EPSILON = 1.001e-5, 1e-3
# keras.applications counts the convolutions of a block, with 0 for the shortcut.
_BRANCHES = {"0": "1", "1": "2a", "2": "2b", "3": "2c"}
_THEIRS = re.compile(r"conv([2-5])_block(\d{1,2})_([0-3])_(conv|bn)")
_OURS = re.compile(r"(res|bn)([2-5])([a-z])_branch(1|2[abc])")


def our_name(name: str) -> str | None:
    """Matterport's name of a layer of keras.applications; None where there is none."""
    if name in ("conv1_conv", "conv1_bn"):
        return "conv1" if name == "conv1_conv" else "bn_conv1"
    match = _THEIRS.fullmatch(name)
    if match is None or not 1 <= int(match[2]) <= len(string.ascii_lowercase):
        return None
    stage, block, part, kind = match.groups()
    letter = string.ascii_lowercase[int(block) - 1]
    return f"{'res' if kind == 'conv' else 'bn'}{stage}{letter}_branch{_BRANCHES[part]}"


def keras_name(name: str) -> str | None:
    """The name in keras.applications of a layer of Matterport's; None where there is none."""
    if name in ("conv1", "bn_conv1"):
        return "conv1_conv" if name == "conv1" else "conv1_bn"
    match = _OURS.fullmatch(name)
    if match is None:
        return None
    kind, stage, letter, branch = match.groups()
    block = string.ascii_lowercase.index(letter) + 1
    (part,) = (part for part, ours in _BRANCHES.items() if ours == branch)
    return f"conv{stage}_block{block}_{part}_{'conv' if kind == 'res' else 'bn'}"


def in_keras_order(names: Iterable[str]) -> list[str]:
    """Matterport's names, in its order, in that of keras.applications.

    Of a block's two last convolutions and their normalisations, the shortcut's comes first
    there. Keras 3 loads files by this order.
    """
    ordered: list[str] = []
    for name in names:
        place = len(ordered)
        if name.endswith("_branch1") and ordered[-1].endswith("_branch2c"):
            place -= 1
        ordered.insert(place, name)
    return ordered


def with_epsilon(layers: Layers, theirs: float, ours: float) -> Layers:
    """The same layers for a network whose batch normalisation has another epsilon.

    Args:
        layers: those with a gamma and a variance are rescaled when they are read.
        theirs: epsilon that they were trained with.
        ours: epsilon that they will be used with.
    """
    return {name: _rescaled(weights, theirs, ours) for name, weights in layers.items()}


def _rescaled(weights, theirs, ours):
    by_role = {weight.role: weight for weight in weights}
    if not {"gamma", "moving_variance"} <= set(by_role):
        return weights
    gamma, variance = by_role["gamma"], by_role["moving_variance"]

    def read():
        # A variance below zero is refused by the reader of the layer; no warning before.
        spread = np.maximum(variance.read().astype(np.float64), 0)
        return (gamma.read() * np.sqrt((spread + ours) / (spread + theirs))).astype(np.float32)

    scaled = Weight(gamma.name, gamma.shape, read)
    return [scaled if weight is gamma else weight for weight in weights]
