"""The layers of a model by the names that weights files use."""

from collections.abc import Callable

import keras

from mrcnn_al.weights.layout import Shapes
from mrcnn_al.weights.matching import check_complete, match, read_layer
from mrcnn_al.weights.report import WeightsReport
from mrcnn_al.weights.weight import Layers


def weighted_layers(model: keras.Model) -> dict[str, keras.layers.Layer]:
    """The innermost layers that have weights, by name, in the order of the network."""
    found: dict[str, keras.layers.Layer] = {}
    seen: set[int] = set()
    _collect(model, found, seen)
    return found


def _collect(layer, found, seen):
    if id(layer) in seen:
        return
    seen.add(id(layer))
    inner = list(layer._flatten_layers(include_self=False, recursive=False))
    for child in inner:
        _collect(child, found, seen)
    if not inner and layer.variables and not isinstance(layer, keras.metrics.Metric):
        if layer.name in found:
            raise ValueError(f"Two layers are named {layer.name!r}.")
        found[layer.name] = layer


def layer_shapes(model: keras.Model) -> Shapes:
    """Names and shapes of the weights of a model; `model_layout` knows them without one."""
    return {
        name: [(variable.name, tuple(variable.shape)) for variable in layer.variables]
        for name, layer in weighted_layers(model).items()
    }


def assign(
    model: keras.Model,
    stored: Layers,
    source: str,
    exclude: tuple[str, ...] = (),
    only: Callable[[str], bool] | None = None,
) -> WeightsReport:
    """Gives the layers of a model the weights of a file; all of them or none.

    Args:
        model: whose weights are set.
        stored: the weights of each layer.
        source: what to call the file.
        exclude: layers to leave alone, see `match`.
        only: a predicate on layer names; the others are not expected in the file.

    Raises:
        UserError: file and model do not correspond; the model is as it was.
    """
    report = match(layer_shapes(model), stored, source, exclude, only)
    check_complete(report)
    # A damaged layer must be noticed before the first one is assigned.
    arrays = {name: read_layer(name, stored[name], source) for name in report.loaded}
    layers = weighted_layers(model)
    for name in report.loaded:
        for variable, array in zip(layers[name].variables, arrays.pop(name), strict=True):
            variable.assign(array)
    return report
