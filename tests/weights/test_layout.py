"""Names and shapes that are told without building a network are those of the network."""

import itertools
import json

import pytest

from mrcnn_al.config import PRESETS, ModelConfig
from mrcnn_al.mask_rcnn.backbones.factory import layer_stage, make_backbone
from mrcnn_al.model import MaskRCNN
from mrcnn_al.weights.layers import layer_shapes
from mrcnn_al.weights.layout import CLASS_LAYERS, backbone_layout, model_layout

SMALL = {
    "backbone": "efficientnet_lite0",
    "num_classes": 5,
    "top_down_pyramid_size": 24,
    "rpn_channels": 20,
    "fpn_classif_fc_layers_size": 28,
    "mask_head_channels": 12,
    "mask_head_convolutions": 2,
    "rpn_anchor_ratios": (1, 2),
    "pool_size": 5,
}


@pytest.mark.parametrize("preset", PRESETS)
def test_the_heads_of_every_preset(preset):
    config = ModelConfig.preset(preset, backbone="efficientnet_lite0")
    assert model_layout(config) == layer_shapes(MaskRCNN(config))


@pytest.mark.parametrize(
    ("kind", "pyramid", "heads"),
    [("batch", "batch", "none"), ("group", "group", "group"), ("frozen_batch", "none", "batch")],
)
def test_every_width_and_normalization(kind, pyramid, heads):
    config = ModelConfig.preset(
        "matterport",
        **SMALL,
        normalization=kind,
        pyramid_normalization=pyramid,
        head_normalization=heads,
    )
    layout = model_layout(config)
    assert layout == layer_shapes(MaskRCNN(config))
    assert set(CLASS_LAYERS) <= set(layout)


BACKBONES = ModelConfig.choices["backbone"]


@pytest.mark.parametrize(
    ("backbone", "kind"),
    [*itertools.product(BACKBONES, ["frozen_batch"]), ("resnet50", "group")],
)
def test_every_backbone(backbone, kind):
    layout = backbone_layout(backbone, kind)
    assert layout == layer_shapes(make_backbone(backbone, kind))
    assert all(layer_stage(name) for name in layout)


def test_the_order_is_that_of_the_references_files(shared):
    text = (shared / "parity" / "h5_layout_resnet101_81_training.json").read_text()
    listed = [name for name in json.loads(text)["layer_names"] if layer_stage(name)]
    ours = list(backbone_layout("resnet101"))
    assert ours == [name for name in listed if name in ours]
