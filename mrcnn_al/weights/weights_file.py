"""Weights files of every layout that is known, told apart by the names of their layers."""

import contextlib
import os
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mrcnn_al.errors import UserError
from mrcnn_al.weights.h5_file import open_h5
from mrcnn_al.weights.keras_names import KERAS_EPSILON, OUR_EPSILON, our_name, with_epsilon
from mrcnn_al.weights.layout import RESNET_STAGE_4_BLOCKS, backbone_layout
from mrcnn_al.weights.lite import lite_layers
from mrcnn_al.weights.torch_file import read_torch_file
from mrcnn_al.weights.weight import Layers

MATTERPORT, KERAS_OLD, KERAS_APPLICATIONS = "matterport", "keras-old", "keras-applications"
TORCH, LITE = "efficientnet-lite-pth", "efficientnet-lite-h5"
LAYOUTS = {
    MATTERPORT: "Mask R-CNN in Matterport's layout",
    KERAS_OLD: "ResNet in the layout of Keras's old ImageNet files (res2a_branch2a)",
    KERAS_APPLICATIONS: "ResNet in the layout of keras.applications (conv2_block1_1_conv)",
    TORCH: "EfficientNet-Lite0, PyTorch (.pth)",
    LITE: "EfficientNet-Lite0 under this package's names",
}
# Matterport's RPN is a model inside the model, saved as one group.
RPN_GROUP = "rpn_model"
RPN_LAYERS = ("rpn_conv_shared", "rpn_class_raw", "rpn_bbox_pred")
# The classifiers of the ImageNet files that come with one.
_CLASSIFIERS = {"fc1000", "predictions", "probs"}
_STAGE_4_BLOCK = re.compile(r"res4([a-z])_branch2a")
_TORCH_STARTS = (b"\x80\x02\x8a\x0a", b"PK\x03\x04")


@dataclass(frozen=True)
class WeightsFile:
    """An open weights file, under this package's names.

    Attributes:
        path: of the file.
        layout: a key of LAYOUTS.
        layers: of the network; of an ImageNet file without its classifier.
        ignored: names of layers that are no part of any network here: that classifier.
        channel_order: RGB or BGR, of the images that it was trained on. Keras's ImageNet
            ResNets were trained on BGR; files that differ say so.
    """

    path: Path
    layout: str
    layers: Layers
    ignored: tuple[str, ...] = ()
    channel_order: str = "RGB"

    @property
    def backbone_only(self) -> bool:
        """Whether it is the weights of a backbone and not of a whole Mask R-CNN."""
        return self.layout != MATTERPORT

    @property
    def backbone(self) -> str | None:
        """resnet50, resnet101, efficientnet_lite0, or None for none of these.

        The ResNets differ in the number of blocks in stage 4 alone.
        """
        if "lite1_stem_conv" in self.layers:
            return "efficientnet_lite0"
        blocks = [match[1] for name in self.layers if (match := _STAGE_4_BLOCK.fullmatch(name))]
        last = max(blocks, default=None)
        lasts = {
            string.ascii_lowercase[count - 1]: backbone
            for backbone, count in RESNET_STAGE_4_BLOCKS.items()
        }
        return lasts.get(last)

    def backbone_layers(self) -> Layers:
        """Of those layers, the backbone's."""
        if self.backbone is None:
            raise UserError(f"{self.path} does not hold a whole backbone that is known here.")
        names = backbone_layout(self.backbone)
        return {name: weights for name, weights in self.layers.items() if name in names}


@contextlib.contextmanager
def open_weights(path: str | os.PathLike) -> Iterator[WeightsFile]:
    """Opens a file of any known layout; nothing but names and shapes is read before it is asked.

    Raises:
        UserError: no such file, damaged, or of no layout that is known.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"The weights file {path} does not exist.")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise UserError(f"The weights file {path} cannot be read: {error}.") from error
    if start in _TORCH_STARTS:
        yield _torch(path, start)
        return
    with open_h5(path) as (layers, order):
        yield _recognised(path, layers, order)


def _torch(path, start):
    if start == b"PK\x03\x04":
        raise UserError(
            f"{path} is a zip archive: a .keras file, or one of PyTorch 1.6 or newer. Neither is "
            "read here; save the weights as h5, with MaskRCNN.save_weights."
        )
    tensors = read_torch_file(path)
    ignored = tuple(sorted({n.rsplit(".", 1)[0] for n in tensors if n.startswith("_fc")}))
    return WeightsFile(path, TORCH, lite_layers(tensors), ignored)


def _recognised(path, layers, order):
    if RPN_GROUP in layers:
        layers.update(_split_rpn(layers.pop(RPN_GROUP), path))
    names = set(layers)
    if any(name.startswith(("mrcnn_", "rpn_", "fpn_")) for name in names):
        return WeightsFile(path, MATTERPORT, layers, channel_order=order or "RGB")
    ignored = tuple(sorted(names & _CLASSIFIERS))
    layers = {name: weights for name, weights in layers.items() if name not in ignored}
    if "lite1_stem_conv" in names:
        return WeightsFile(path, LITE, layers, ignored, order or "RGB")
    if {"conv1_conv", "conv2_block1_1_conv"} <= names:
        layers = _renamed(path, layers)
        return WeightsFile(path, KERAS_APPLICATIONS, layers, ignored, order or "BGR")
    if {"conv1", "res2a_branch2a"} <= names:
        return WeightsFile(path, KERAS_OLD, layers, ignored, order or "BGR")
    raise UserError(
        f"{path} holds the layers {', '.join(sorted(names)[:5])}{', ...' * (len(names) > 5)}: "
        "neither a Mask R-CNN in Matterport's layout nor one of the backbones known here."
    )


def _renamed(path, layers):
    renamed = {}
    for name, weights in layers.items():
        ours = our_name(name)
        if ours is None:
            raise UserError(
                f"{path} is in the layout of keras.applications, but has a layer {name!r}, "
                "which is neither in ResNet-50 nor in ResNet-101, version 1."
            )
        renamed[ours] = weights
    return with_epsilon(renamed, KERAS_EPSILON, OUR_EPSILON)


def _split_rpn(weights, path):
    if len(weights) != 2 * len(RPN_LAYERS):
        raise UserError(f"{path}: the group {RPN_GROUP} has {len(weights)} weights instead of 6.")
    pairs = zip(RPN_LAYERS, weights[::2], weights[1::2], strict=True)
    layers = {name: [kernel, bias] for name, kernel, bias in pairs}
    for name, owned in layers.items():
        for weight in owned:
            owner = weight.name.split("/")[-2] if "/" in weight.name else name
            if owner in RPN_LAYERS and owner != name:
                raise UserError(f"{path}: {weight.name!r} stands where {name} belongs.")
    return layers
