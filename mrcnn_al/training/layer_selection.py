"""Which layers are trained."""

from mrcnn_al.mask_rcnn.backbones.factory import layer_stage
from mrcnn_al.weights.layers import weighted_layers

_FIRST_STAGE = {"3+": 3, "4+": 4, "5+": 5, "all": 1}


def select_layers(model, layers: str) -> None:
    """Makes layers trainable by name, the others not (Matterport's set_trainable).

    Args:
        model: a MaskRCNN.
        layers: `heads` (all but the backbone); `3+`, `4+`, `5+`: besides, the backbone from
            that stage on; `all`.
    """
    for name, layer in weighted_layers(model).items():
        stage = layer_stage(name)
        layer.trainable = stage is None or stage >= _FIRST_STAGE.get(layers, 6)
