"""Matterport's h5 layout: one group a layer, weights in the order of `weight_names`.

Read and written with h5py alone. Keras 3's own legacy loader matches by position over the whole
file and mistakes one network for another without a word.
"""

import os
from pathlib import Path

import h5py
import keras
import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.files import replacing
from mrcnn_al.weights.layers import assign, weighted_layers
from mrcnn_al.weights.report import WeightsReport

# Matterport's RPN is a model inside the model, saved as one group.
RPN_GROUP = "rpn_model"
_RPN_LAYERS = ("rpn_conv_shared", "rpn_class_raw", "rpn_bbox_pred")


def load_weights(
    model: keras.Model, path: str | os.PathLike, exclude: tuple[str, ...] = (), only=None
) -> WeightsReport:
    """Loads an h5 file into a model by layer names; see `assign`.

    Raises:
        UserError: no such file, not HDF5, or it does not fit; the model is as it was.
    """
    return assign(model, read_h5(path), str(path), exclude, only)


def save_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Writes the weights of a model in Matterport's layout, atomically."""
    groups: dict[str, list] = {}
    for name, layer in weighted_layers(model).items():
        group = RPN_GROUP if name in _RPN_LAYERS else name
        groups.setdefault(group, []).extend((f"{name}/{v.name}:0", v) for v in layer.variables)
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["layer_names"] = np.array([name.encode() for name in groups])
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.2.4"
        for name, weights in groups.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = np.array([weight.encode() for weight, _ in weights])
            for weight, variable in weights:
                group[weight] = keras.ops.convert_to_numpy(variable)


def read_h5(path: str | os.PathLike) -> dict[str, list[tuple[str, np.ndarray]]]:
    """The weights of each layer in a file, in order, as (name, float32 array) pairs.

    Raises:
        UserError: no such file, not HDF5, damaged, or with links to elsewhere.
    """
    if not Path(path).is_file():
        raise UserError(f"The weights file {path} does not exist.")
    try:
        with h5py.File(path, "r") as file:
            root = _hard(file, "model_weights", path) if "model_weights" in file else file
            groups = {name: _read_group(root, name, path) for name in root}
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise UserError(f"The weights file {path} is not readable as HDF5: {error}.") from error
    groups = {name: weights for name, weights in groups.items() if weights}
    if not groups:
        raise UserError(f"The file {path} holds no weights by layer.")
    nested = groups.pop(RPN_GROUP, None)
    if nested is not None:
        groups.update(_split_rpn(nested, path))
    return groups


def _read_group(root, name, path):
    group = _hard(root, name, path)
    if not isinstance(group, h5py.Group):
        raise UserError(f"{path} is not in Matterport's layout: {name!r} is not a group.")
    weights = []
    for raw in group.attrs.get("weight_names", ()):
        weight = raw.decode() if isinstance(raw, bytes) else str(raw)
        item = group
        for part in weight.split("/"):
            item = _hard(item, part, path)
        if not isinstance(item, h5py.Dataset) or item.is_virtual or item.external:
            raise UserError(f"{path}: the weight {weight!r} does not lie in the file.")
        weights.append((weight, item[()].astype(np.float32)))
    return weights


def _hard(group, name, path):
    if not isinstance(group, h5py.Group) or name not in group:
        raise UserError(f"{path} is damaged: {name!r} is listed but not there.")
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise UserError(f"{path}: {name!r} is a link; weights must lie in the file itself.")
    return group[name]


def _split_rpn(weights, path):
    if len(weights) != 2 * len(_RPN_LAYERS):
        raise UserError(f"{path}: the group {RPN_GROUP} has {len(weights)} weights instead of 6.")
    pairs = zip(_RPN_LAYERS, weights[::2], weights[1::2], strict=True)
    layers = {name: [kernel, bias] for name, kernel, bias in pairs}
    for name, owned in layers.items():
        for weight, _ in owned:
            owner = weight.split("/")[-2] if "/" in weight else name
            if owner in _RPN_LAYERS and owner != name:
                raise UserError(f"{path}: {weight!r} stands where {name} belongs.")
    return layers
