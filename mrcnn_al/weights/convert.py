"""Writing the weights of one layout as another."""

import os
from pathlib import Path

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.weights.h5_file import write_h5
from mrcnn_al.weights.keras_names import (
    KERAS_EPSILON,
    OUR_EPSILON,
    in_keras_order,
    keras_name,
    with_epsilon,
)
from mrcnn_al.weights.layout import backbone_layout
from mrcnn_al.weights.matching import check_complete, match, read_layer
from mrcnn_al.weights.weights_file import (
    KERAS_APPLICATIONS,
    KERAS_OLD,
    LAYOUTS,
    LITE,
    MATTERPORT,
    WeightsFile,
    open_weights,
)

TARGETS = (MATTERPORT, KERAS_OLD, KERAS_APPLICATIONS)


def convert(source: str | os.PathLike, target: str | os.PathLike, layout: str) -> int:
    """Writes the backbone of a weights file in another layout.

    Values stay as they are, but for gamma between `keras-applications` and the others, which
    carries the difference of the two epsilons; see `keras_names`. The order of the colour
    channels that the network expects is not changed but noted in the file.

    Args:
        source: a file of any layout that is known.
        target: the h5 file to write.
        layout: `matterport`: this package's names for a backbone, which are Matterport's for
            a ResNet; `keras-old`: the same names, of a ResNet only; `keras-applications`.

    Returns:
        How many layers were written.

    Raises:
        UserError: the source cannot be read, is no whole backbone, or is of the layout
            already; the layout has no such network; the target is the source.
    """
    if Path(target).exists() and Path(target).samefile(source):
        raise UserError(f"{target} is the file to convert; name another one to write.")
    with open_weights(source) as file:
        _check_convertible(file, layout)
        stored, expected = file.backbone_layers(), backbone_layout(file.backbone)
        check_complete(match(expected, stored, str(source)))
        stored = {name: stored[name] for name in expected}
        names = list(stored)
        if layout == KERAS_APPLICATIONS:
            stored = with_epsilon(stored, OUR_EPSILON, KERAS_EPSILON)
            names = in_keras_order(names)
        groups: dict[str, list[tuple[str, np.ndarray]]] = {}
        for name in names:
            theirs = keras_name(name) if layout == KERAS_APPLICATIONS else name
            arrays = read_layer(name, stored[name], str(source))
            groups[theirs] = [
                (f"{theirs}/{weight.role}:0", array)
                for weight, array in zip(stored[name], arrays, strict=True)
            ]
        write_h5(target, groups, file.channel_order)
    return len(groups)


def _check_convertible(file: WeightsFile, layout: str) -> None:
    same = {MATTERPORT: (MATTERPORT, KERAS_OLD, LITE), KERAS_OLD: (KERAS_OLD,)}
    if file.layout in same.get(layout, (layout,)):
        raise UserError(f"{file.path} is in this layout already: {LAYOUTS[file.layout]}.")
    if layout != MATTERPORT and file.backbone == "efficientnet_lite0":
        raise UserError(
            f"{file.path} holds an EfficientNet-Lite0, which Keras has no layout for; "
            f"--to {MATTERPORT} writes it under this package's names."
        )
