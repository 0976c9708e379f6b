"""The layers of a model by the names that weights files use."""

import keras

from mrcnn_al.errors import UserError
from mrcnn_al.weights.report import WeightsReport

# The layers whose shapes depend on the number of classes.
CLASS_LAYERS = ("mrcnn_class_logits", "mrcnn_bbox_fc", "mrcnn_mask")


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


def assign(
    model: keras.Model,
    arrays: dict[str, list[tuple[str, object]]],
    source: str,
    exclude: tuple[str, ...] = (),
    only=None,
) -> WeightsReport:
    """Gives the layers of a model the weights of a file; all of them or none.

    Args:
        model: whose weights are set.
        arrays: for each layer name its weights in order, as (name, array) pairs. Names of
            Keras's own (kernel, gamma, ...) are checked against the model's.
        source: what to call the file.
        exclude: names of layers to leave alone; `heads` for those that depend on the number
            of classes.
        only: a predicate on layer names; the others are not expected in the file.

    Raises:
        UserError: file and model do not correspond; the model is as it was.
    """
    layers = weighted_layers(model)
    excluded = {n for name in exclude for n in (CLASS_LAYERS if name == "heads" else (name,))}
    for name in sorted(excluded - set(layers) - set(arrays)):
        raise UserError(f"There is no layer {name!r} to exclude, neither in {source} nor here.")
    if only is not None:
        layers = {name: layer for name, layer in layers.items() if only(name)}
    report = WeightsReport(source, excluded=sorted(excluded & (set(layers) | set(arrays))))
    report.unexpected = [n for n in arrays if n not in layers and n not in excluded]
    pairs = []
    for name, layer in layers.items():
        if name in excluded:
            continue
        if name not in arrays:
            report.missing.append(name)
            continue
        report.loaded.append(name)
        _pair(layer, arrays[name], pairs, report)
    if not report.complete:
        hint = "Exclude layers by name to leave them as they are."
        if {name.split("/")[0] for name, _, _ in report.mismatched} & set(CLASS_LAYERS):
            hint = "For weights of another number of classes, exclude the heads."
        raise UserError(f"The weights do not fit, nothing was loaded. {report}\n{hint}")
    for variable, array in pairs:
        variable.assign(array)
    return report


_KERAS_NAMES = {"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"}


def _pair(layer, weights, pairs, report):
    variables = layer.variables
    if len(weights) != len(variables):
        report.mismatched.append(
            (layer.name, f"{len(weights)} weights", f"{len(variables)} weights")
        )
        return
    for variable, (name, array) in zip(variables, weights, strict=True):
        leaf = name.rsplit("/", 1)[-1].split(":")[0]
        if leaf in _KERAS_NAMES and leaf != variable.name:
            report.mismatched.append((f"{layer.name}/{variable.name}", leaf, variable.name))
        elif tuple(array.shape) != tuple(variable.shape):
            report.mismatched.append(
                (f"{layer.name}/{variable.name}", tuple(array.shape), tuple(variable.shape))
            )
        else:
            pairs.append((variable, array))
