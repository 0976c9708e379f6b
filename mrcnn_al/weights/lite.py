"""EfficientNet-Lite0's tensors under their PyTorch names, as layers of our backbone."""

import re

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.weights.weight import Layers, Weight

# What follows the backbone.
_CLASSIFIER = ("_conv_head", "_bn1", "_fc")


def lite_layers(tensors: dict[str, np.ndarray]) -> Layers:
    """The layers of the backbone; the classifier behind it is left out.

    Kernels [O, I, h, w] become [h, w, I, O], depthwise ones [C, 1, h, w] become [h, w, C, 1].

    Raises:
        UserError: a tensor that the network does not have, or half a normalisation.
    """
    layers: Layers = {}
    for name, tensor in tensors.items():
        if not name.endswith(".weight") or name.startswith(_CLASSIFIER):
            continue
        layer = _lite_name(name.removesuffix(".weight"))
        if tensor.ndim == 4:
            order = (2, 3, 0, 1) if "depthwise" in layer else (2, 3, 1, 0)
            arrays = {"kernel": tensor.transpose(order)}
        else:
            prefix = name.removesuffix("weight")
            arrays = {
                "gamma": tensor,
                "beta": _tensor(tensors, prefix + "bias"),
                "moving_mean": _tensor(tensors, prefix + "running_mean"),
                "moving_variance": _tensor(tensors, prefix + "running_var"),
            }
        layers[layer] = [_finite(layer, role, array) for role, array in arrays.items()]
    return layers


def _finite(layer, role, array):
    if not np.isfinite(array).all():
        raise UserError(f"The layer {layer!r} of EfficientNet-Lite0 holds NaN or infinity.")
    return Weight.of(role, array)


def _tensor(tensors, name):
    if name not in tensors:
        raise UserError(f"The tensor {name!r} of EfficientNet-Lite0 is missing.")
    return tensors[name]


def _lite_name(name: str) -> str:
    if name in ("_conv_stem", "_bn0"):
        return "lite1_stem_conv" if name == "_conv_stem" else "lite1_stem_bn"
    match = re.fullmatch(r"_blocks\.(\d{1,3})\._(\w+)", name)
    if match is None:
        raise UserError(f"EfficientNet-Lite0 has no tensor {name!r}.")
    block, part = int(match[1]), match[2]
    names = {"bn0": "expand_bn", "bn1": "depthwise_bn", "bn2": "project_bn"}
    stage = 1 + sum(block >= first for first in (1, 3, 5, 11))
    return f"lite{stage}_{block}_{names.get(part, part)}"
