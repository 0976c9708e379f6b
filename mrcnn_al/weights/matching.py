"""Which weights of a file belong to which weights of a network."""

from collections.abc import Callable

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.weights.layout import CLASS_LAYERS, Shapes
from mrcnn_al.weights.report import WeightsReport
from mrcnn_al.weights.weight import Layers, Weight

_ROLES = {"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"}


def match(
    expected: Shapes,
    stored: Layers,
    source: str,
    exclude: tuple[str, ...] = (),
    only: Callable[[str], bool] | None = None,
) -> WeightsReport:
    """Compares a network with a file, by layer names, weight names and shapes; reads nothing.

    Args:
        expected: the network, as `model_layout` gives it.
        stored: the file. Weights with a name of Keras's own (kernel, gamma, ...) are checked
            to stand where the network has them.
        source: what to call the file.
        exclude: names of layers to leave alone; `heads` for those that depend on the number
            of classes.
        only: a predicate on layer names; the others are not expected in the file.

    Raises:
        UserError: neither side has a layer that is to be excluded.
    """
    excluded = {n for name in exclude for n in (CLASS_LAYERS if name == "heads" else (name,))}
    for name in sorted(excluded - set(expected) - set(stored)):
        raise UserError(f"There is no layer {name!r} to exclude, neither in {source} nor here.")
    if only is not None:
        expected = {name: weights for name, weights in expected.items() if only(name)}
    report = WeightsReport(source, excluded=sorted(excluded & (set(expected) | set(stored))))
    report.unexpected = [n for n in stored if n not in expected and n not in excluded]
    for name, shapes in expected.items():
        if name in excluded:
            continue
        if name not in stored:
            report.missing.append(name)
            continue
        differences = _differences(name, shapes, stored[name])
        report.mismatched.extend(differences)
        if not differences:
            report.loaded.append(name)
    return report


def check_complete(report: WeightsReport) -> None:
    """Raises a UserError that lists the differences, if there are any."""
    if report.complete:
        return
    hint = "Exclude layers by name to leave them as they are."
    if report.missing and report.unexpected:
        hint = (
            "They are of another network: choose the preset and backbone that they were made with; "
            "`mrcnn-al weights inspect` tells of a file what it is."
        )
    elif {name.split("/")[0] for name, _, _ in report.mismatched} & set(CLASS_LAYERS):
        hint = "For weights of another number of classes, exclude the heads."
    raise UserError(f"The weights do not fit, nothing was loaded. {report}\n{hint}")


def read_layer(name: str, weights: list[Weight], source: str) -> list[np.ndarray]:
    """The arrays of a layer, in order.

    Raises:
        UserError: one cannot be read, or is a variance below zero.
    """
    arrays = [weight.read() for weight in weights]
    for weight, array in zip(weights, arrays, strict=True):
        if weight.role == "moving_variance" and (array < 0).any():
            raise UserError(f"{source}: the layer {name!r} has a variance below zero.")
    return arrays


def _differences(layer, shapes, weights):
    if len(weights) != len(shapes):
        return [(layer, f"{len(weights)} weights", f"{len(shapes)} weights")]
    found = []
    for (name, shape), weight in zip(shapes, weights, strict=True):
        if weight.role in _ROLES and weight.role != name:
            found.append((f"{layer}/{name}", weight.role, name))
        elif weight.shape != tuple(shape):
            found.append((f"{layer}/{name}", weight.shape, tuple(shape)))
    return found
