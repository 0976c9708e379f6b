"""Weights by layer in an HDF5 file, whose content is not trusted.

One group a layer, its weights in the order of the attribute `weight_names`: what Keras 1 and 2
write, and Matterport with them. Shapes are known before anything is read, and what is read has
to lie in the file as a whole. Keras 3's own loader matches by position over the whole file and
mistakes one network for another without a word.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.files import replacing
from mrcnn_al.weights.h5_storage import check_storage
from mrcnn_al.weights.weight import Layers, Weight

# What h5py raises for content that it, or the HDF5 library, cannot make sense of.
_DAMAGE = (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError, AttributeError)
_MOST_NAMES, _LONGEST_NAME = 10_000, 1_000
_ORDER = "input_channels"


@contextlib.contextmanager
def open_h5(path: str | os.PathLike) -> Iterator[tuple[Layers, str | None]]:
    """Opens a file for reading.

    Yields:
        The weights of each group that has any, in order, to be read inside the block; and the
        order of the input's channels, RGB or BGR, where the file names it.

    Raises:
        UserError: no such file, not HDF5, damaged, or with links to elsewhere.
    """
    if not Path(path).is_file():
        raise UserError(f"The weights file {path} does not exist.")
    with _damage_told(path):
        file = h5py.File(path, "r")
    with file:
        with _damage_told(path):
            root = _hard(file, "model_weights", path) if "model_weights" in file else file
            if not isinstance(root, h5py.Group):
                raise UserError(f"{path} is no weights file: 'model_weights' is not a group.")
            if root is file and _is_keras_3(file):
                raise UserError(
                    f"{path} is a file of Keras 3 (.weights.h5). Its weights are numbered under "
                    "paths that Keras makes up, without the names of the layers, so what is "
                    "what cannot be told. Write the weights with MaskRCNN.save_weights."
                )
            # Groups are looked up, never listed: the HDF5 library crashes when it goes through
            # a damaged list of names.
            names = _names(root, "layer_names", path)
            layers = {name: _listed_weights(root, name, path) for name in names if name in root}
            order = _channel_order(file, path)
        layers = {name: weights for name, weights in layers.items() if weights}
        if not layers:
            raise UserError(f"The file {path} holds no weights by layer.")
        yield layers, order


def write_h5(
    path: str | os.PathLike,
    groups: dict[str, Sequence[tuple[str, np.ndarray]]],
    channel_order: str | None = None,
) -> None:
    """Writes a file that Keras 1 and 2 and this package read, atomically.

    Args:
        path: of the file.
        groups: for each group its (weight name, array) pairs in order.
        channel_order: RGB or BGR, of the input that the first layer expects, if to be named.
    """
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        # Keras 2 decodes all of these, so they must be bytes.
        file.attrs["layer_names"] = np.array([name.encode() for name in groups])
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.2.4"
        if channel_order is not None:
            file.attrs[_ORDER] = channel_order.encode()
        for name, weights in groups.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = np.array([weight.encode() for weight, _ in weights])
            for weight, array in weights:
                group[weight] = array


@contextlib.contextmanager
def _damage_told(path):
    try:
        yield
    except _DAMAGE as error:
        raise UserError(f"The weights file {path} is not readable as HDF5: {error}.") from error


def _is_keras_3(file):
    return "layer_names" not in file.attrs and ("layers" in file or "vars" in file)


def _channel_order(file, path):
    value = file.attrs.get(_ORDER)
    if value is None:
        return None
    order = value.decode() if isinstance(value, bytes) else value
    if order not in ("RGB", "BGR"):
        raise UserError(f"{path}: the attribute {_ORDER} is neither RGB nor BGR.")
    return order


def _listed_weights(root, layer, path):
    group = _hard(root, layer, path)
    if not isinstance(group, h5py.Group):
        raise UserError(f"{path} does not hold weights by layer: {layer!r} is not a group.")
    weights = []
    for name in _names(group, "weight_names", path):
        item = group
        for part in name.split("/"):
            item = _hard(item, part, path)
        weights.append(_weight(item, name, layer, path))
    return weights


def _names(group, attribute, path):
    """The attribute in which Keras lists the layers of a file, or the weights of a layer."""
    if attribute not in group.attrs:
        return []
    what = f"{path}: the attribute {attribute} of {group.name}"
    stored = group.attrs.get_id(attribute)
    if len(stored.shape) != 1 or stored.shape[0] > _MOST_NAMES:
        raise UserError(f"{what} is no list of names.")
    # An empty list has no type of its own; Keras's is one of numbers.
    if stored.shape[0] == 0:
        return []
    if stored.dtype.kind not in "SO" or stored.dtype.itemsize > _LONGEST_NAME:
        raise UserError(f"{what} is no list of names.")
    names = [raw.decode() if isinstance(raw, bytes) else raw for raw in group.attrs[attribute]]
    if not all(isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME for name in names):
        raise UserError(f"{what} holds something else than names.")
    if len(set(names)) != len(names):
        raise UserError(f"{what} holds a name twice.")
    return names


def _hard(group, name, path):
    if not isinstance(group, h5py.Group) or name in ("", ".") or name not in group:
        raise UserError(f"{path} is damaged: {name!r} is listed but not there.")
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise UserError(f"{path}: {name!r} is a link; weights must lie in the file itself.")
    return group[name]


def _weight(item, name, layer, path):
    what = f"{path}: the weight {name!r} of the layer {layer!r}"
    if not isinstance(item, h5py.Dataset) or item.is_virtual or item.external:
        raise UserError(f"{what} does not lie in the file.")
    if item.shape is None or item.dtype.kind != "f":
        raise UserError(f"{what} is not an array of real numbers.")

    def read():
        with _damage_told(path):
            check_storage(item, what)
            # What is too large for float32 becomes infinite, and is refused for that.
            with np.errstate(over="ignore"):
                array = np.asarray(item[()], np.float32)
        if not np.isfinite(array).all():
            raise UserError(f"{what} holds NaN or infinity; the file is damaged.")
        return array

    return Weight(name, tuple(item.shape), read)
