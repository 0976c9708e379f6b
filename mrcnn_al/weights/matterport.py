"""Matterport's h5 layout: a model's weights in and out."""

import os

import keras

from mrcnn_al.weights.h5_file import write_h5
from mrcnn_al.weights.layers import assign, weighted_layers
from mrcnn_al.weights.layout import model_layout
from mrcnn_al.weights.report import WeightsReport
from mrcnn_al.weights.weights_file import RPN_GROUP, RPN_LAYERS, open_weights


def load_weights(
    model: keras.Model, path: str | os.PathLike, exclude: tuple[str, ...] = ()
) -> WeightsReport:
    """Loads a file into a model by layer names, every layer that is not excluded; see `assign`.

    Raises:
        UserError: no such file, not readable, or it does not fit; the model is as it was.
    """
    with open_weights(path) as file:
        return assign(model, file.layers, str(path), exclude)


def save_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Writes the weights of a MaskRCNN in Matterport's layout, atomically.

    Groups are in the order of the reference's inference-mode files, for those who load them
    by position.
    """
    groups: dict[str, list] = {}
    layers = weighted_layers(model)
    for name in model_layout(model.config):
        group, layer = RPN_GROUP if name in RPN_LAYERS else name, layers.pop(name)
        groups.setdefault(group, []).extend(
            (f"{name}/{variable.name}:0", keras.ops.convert_to_numpy(variable))
            for variable in layer.variables
        )
    if layers:
        raise ValueError(f"Layers that the layout does not have: {', '.join(layers)}.")
    write_h5(path, groups)
