import json

import pytest

from mrcnn_al.config import ModelConfig
from mrcnn_al.model import MaskRCNN
from mrcnn_al.training.layer_selection import select_layers
from mrcnn_al.weights.layers import weighted_layers

TINY = {
    "top_down_pyramid_size": 16,
    "rpn_channels": 16,
    "fpn_classif_fc_layers_size": 16,
    "mask_head_channels": 8,
}


def trained(model):
    layers = weighted_layers(model).items()
    return [f"{name}/{v.name}:0" for name, layer in layers for v in layer.trainable_variables]


@pytest.fixture(scope="module")
def resnet101():
    return MaskRCNN(ModelConfig(num_classes=81, backbone="resnet101", **TINY))


@pytest.fixture(scope="module")
def lite():
    return MaskRCNN(ModelConfig.preset("cpu", **TINY))


@pytest.mark.parametrize("layers", ["heads", "3+", "4+", "5+", "all"])
def test_resnet101_as_the_reference(shared, resnet101, layers):
    expected = json.loads((shared / "parity" / "trainable_weights_resnet101.json").read_text())
    select_layers(resnet101, layers)
    assert sorted(trained(resnet101)) == sorted(expected[layers])
    assert len(resnet101.trainable_variables) == len(expected[layers])


def test_efficientnet_lite_by_stages(lite):
    """Fewer stages train fewer layers, and those outside the backbone always train."""
    sets = {}
    for layers in ("heads", "5+", "4+", "3+", "all"):
        select_layers(lite, layers)
        sets[layers] = set(trained(lite))
    assert sets["heads"] < sets["5+"] < sets["4+"] < sets["3+"] < sets["all"]
    assert not any(name.startswith("lite") for name in sets["heads"])
    for layers, first in (("5+", 5), ("4+", 4), ("3+", 3), ("all", 1)):
        stages = {int(name[4]) for name in sets[layers] - sets["heads"]}
        assert stages == set(range(first, 6))
    select_layers(lite, "all")
    everything = {f"{n}/{v.name}:0" for n, a in weighted_layers(lite).items() for v in a.variables}
    assert everything - sets["all"] == {n for n in everything if "/moving_" in n}


def test_the_selection_is_not_one_way(lite):
    select_layers(lite, "all")
    before = trained(lite)
    select_layers(lite, "heads")
    select_layers(lite, "all")
    assert trained(lite) == before
