"""Our names and shapes are those of the reference's files at full size."""

import json

import pytest

from mrcnn_al.config import ModelConfig
from mrcnn_al.mask_rcnn.model import MaskRCNN
from mrcnn_al.weights.layers import weighted_layers
from mrcnn_al.weights.matterport import _RPN_LAYERS, RPN_GROUP


@pytest.mark.slow
def test_names_and_shapes_of_resnet101_with_81_classes(shared):
    path = shared / "parity" / "h5_layout_resnet101_81_training.json"
    layout = json.loads(path.read_text())
    theirs = {
        name: [
            (weight, tuple(dataset["shape"]))
            for weight, dataset in zip(group["weight_names"], group["datasets"], strict=True)
        ]
        for name, group in layout["groups"].items()
        if group["weight_names"]
    }
    model = MaskRCNN(ModelConfig.preset("matterport", num_classes=81))
    ours = {}
    for name, layer in weighted_layers(model).items():
        group = RPN_GROUP if name in _RPN_LAYERS else name
        weights = [(f"{name}/{v.name}:0", tuple(v.shape)) for v in layer.variables]
        ours.setdefault(group, []).extend(weights)
    assert ours == theirs
    assert model.count_params() == layout["n_parameters"]
    assert sum(map(len, ours.values())) == layout["n_datasets"]
