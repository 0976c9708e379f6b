"""What a weights file is, told from names and shapes alone."""

from dataclasses import dataclass
from math import prod

from mrcnn_al.weights.weights_file import LAYOUTS, WeightsFile


@dataclass(frozen=True)
class Description:
    """The architecture that a weights file was written by.

    Attributes:
        layout: in words.
        backbone: its name, or what is there instead.
        channel_order: of the images that the first layer expects, RGB or BGR.
        num_classes: background included; None without a classifier head.
        pyramid_size: channels of the pyramid; None without one.
        heads: which parts beyond the backbone are there.
        layers: how many have weights.
        weights: how many arrays they have.
        parameters: how many values.
        ignored: layers that are left out when the file is loaded.
    """

    layout: str
    backbone: str
    channel_order: str
    num_classes: int | None
    pyramid_size: int | None
    heads: tuple[str, ...]
    layers: int
    weights: int
    parameters: int
    ignored: tuple[str, ...]


_HEADS = {
    "pyramid": "fpn_",
    "region proposals": "rpn_",
    "classes and boxes": "mrcnn_class",
    "masks": "mrcnn_mask",
}


def describe(file: WeightsFile) -> Description:
    """Describes an open weights file; no weight is read."""
    weights = [weight for layer in file.layers.values() for weight in layer]
    return Description(
        LAYOUTS[file.layout],
        file.backbone or "not one that is known here",
        file.channel_order,
        _last_extent(file, "mrcnn_class_logits"),
        _last_extent(file, "fpn_p2"),
        tuple(
            name
            for name, prefix in _HEADS.items()
            if any(layer.startswith(prefix) for layer in file.layers)
        ),
        len(file.layers),
        len(weights),
        sum(prod(weight.shape) for weight in weights),
        file.ignored,
    )


def _last_extent(file, layer):
    weights = file.layers.get(layer)
    return weights[0].shape[-1] if weights and weights[0].shape else None
