"""A whole Mask R-CNN around a backbone of four convolutions, compiled in a moment."""

from dataclasses import replace

import keras
import numpy as np
from keras import layers, ops

from mrcnn_al.config import ModelConfig, TrainingConfig
from mrcnn_al.datasets.toy_image import draw_image
from mrcnn_al.mask_rcnn import network as network_module
from mrcnn_al.model import MaskRCNN
from mrcnn_al.training.examples import ExampleMaker
from mrcnn_al.training.fit import Fitter
from mrcnn_al.weights import matterport
from mrcnn_al.weights.layout import model_layout

MODEL = ModelConfig.preset(
    "cpu",
    num_classes=4,
    image_min_dim=64,
    image_max_dim=64,
    top_down_pyramid_size=12,
    rpn_channels=12,
    fpn_classif_fc_layers_size=24,
    mask_head_channels=6,
    mask_head_convolutions=1,
    post_nms_rois_training=40,
    train_rois_per_image=16,
    max_gt_instances=12,
    use_mini_mask=True,
)
TRAINING = TrainingConfig.preset("cpu", epochs=2, images_per_batch=2, warmup_steps=2)
IMAGES = (1, 2, 3, 4)
VALIDATION = (11, 12, 13)


def small_backbone(name, normalization):
    """C2 to C5 of an image."""
    del name, normalization
    x = image = keras.Input((None, None, 3), name="input_image")
    outputs = []
    for stage, stride in ((2, 4), (3, 2), (4, 2), (5, 2)):
        name = f"lite{stage}_conv"
        x = layers.Conv2D(8, 3, stride, padding="same", activation="relu", name=name)(x)
        outputs.append(x)
    return keras.Model(image, outputs, name="small_backbone")


def load(number):
    """A drawn image and its instances."""
    return draw_image(np.random.default_rng(number), 80)


def batch(model):
    """What a training step on two of the images is given."""
    make = ExampleMaker(model.config, TRAINING).make
    rows = [make(*load(number), np.random.default_rng(number)) for number in (1, 2)]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def make_model(**changes):
    """The same model at every call with the same changes of its configuration."""
    return build(replace(MODEL, **changes))


def build(config, seed=0):
    """Any Mask R-CNN around the small backbone."""
    original = network_module.make_backbone
    network_module.make_backbone = small_backbone
    try:
        keras.utils.set_random_seed(seed)
        return MaskRCNN(config)
    finally:
        network_module.make_backbone = original


def use_small_backbone(monkeypatch) -> None:
    """In every Mask R-CNN that is made; weights files have to know its layers."""

    def layout(config):
        others = {n: w for n, w in model_layout(config).items() if not n.startswith("lite")}
        return dict.fromkeys(f"lite{stage}_conv" for stage in (2, 3, 4, 5)) | others

    monkeypatch.setattr(network_module, "make_backbone", small_backbone)
    monkeypatch.setattr(matterport, "model_layout", layout)


def values(model):
    """Copies of all weights."""
    return [ops.convert_to_numpy(variable).copy() for variable in model.weights]


def assign(model, arrays):
    """Sets all weights."""
    for variable, value in zip(model.weights, arrays, strict=True):
        variable.assign(value)


def without_times(history):
    """What is the same in every run."""
    return [{k: v for k, v in row.items() if "seconds" not in k} for row in history]


def fit(
    training=TRAINING,
    model=None,
    image_ids=IMAGES,
    load=load,
    seed=3,
    make_examples=ExampleMaker,
    **options,
):
    """A training from the start: the history without times, and the weights at the end."""
    model = model or make_model()
    history = Fitter(model, training, make_examples).fit(image_ids, load, seed, **options)
    return without_times(history), values(model)


def assert_same(arrays, others):
    """Bit for bit."""
    for array, other in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(array, other)
