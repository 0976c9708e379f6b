"""Keras's ImageNet ResNets in our backbone: the same features, stage by stage."""

import keras
import numpy as np
import pytest
from keras import ops
from keras_files import make_resnet50, write_keras_file, write_old_keras_file

from mrcnn_al.config import ModelConfig
from mrcnn_al.errors import UserError
from mrcnn_al.mask_rcnn.backbones.factory import make_backbone
from mrcnn_al.weights.convert import convert
from mrcnn_al.weights.keras_names import keras_name, our_name
from mrcnn_al.weights.layers import assign, weighted_layers
from mrcnn_al.weights.layout import backbone_layout
from mrcnn_al.weights.weights_file import open_weights

STAGES = ("conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out")


@pytest.fixture(scope="module")
def theirs():
    return make_resnet50()


@pytest.fixture(scope="module")
def file(theirs, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet50_notop.h5"
    write_keras_file(path, theirs)
    return path


@pytest.fixture(scope="module")
def ours(file):
    backbone = make_backbone("resnet50", "frozen_batch")
    with open_weights(file) as opened:
        assert assign(backbone, opened.layers, "file").complete
    return backbone


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(1).normal(0, 60, (1, 96, 128, 3)).astype(np.float32)


def deviation(ours, theirs):
    """The largest, in units of the root mean square of what is expected."""
    ours, theirs = ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max() / np.sqrt(np.mean(np.square(theirs, dtype=np.float64)))


def stem_of(theirs):
    return keras.Model(theirs.input, theirs.get_layer("conv1_relu").output)


def after_pooling(theirs):
    outputs = [theirs.get_layer(name).output for name in STAGES]
    return keras.Model(theirs.get_layer("pool1_pool").output, outputs)


def test_c2_to_c5_are_those_of_keras_applications(theirs, ours, image):
    """From the image on, but for the first pooling, where the two place their windows apart."""
    stem = stem_of(theirs)(image)
    pooled = ops.max_pool(stem, 3, strides=2, padding="same")
    for level, (mine, expected) in enumerate(
        zip(ours(image), after_pooling(theirs)(pooled), strict=True), 2
    ):
        assert deviation(mine, expected) <= 1e-4, f"C{level}"


def test_the_windows_of_the_first_pooling_are_one_pixel_apart(theirs, image):
    stem = ops.convert_to_numpy(stem_of(theirs)(image))
    pooled = keras.Model(theirs.input, theirs.get_layer("pool1_pool").output)(image)
    moved = np.pad(stem[:, :-1, :-1], ((0, 0), (1, 0), (1, 0), (0, 0)))
    same = ops.convert_to_numpy(ops.max_pool(moved, 3, strides=2, padding="same"))
    inside = slice(None), slice(-1), slice(-1)
    np.testing.assert_array_equal(ops.convert_to_numpy(pooled)[inside], same[inside])
    assert deviation(ops.max_pool(stem, 3, strides=2, padding="same"), pooled) > 0.1


def test_without_the_other_epsilon_the_features_would_differ(theirs, ours, image, file):
    stem = ops.max_pool(stem_of(theirs)(image), 3, strides=2, padding="same")
    expected = after_pooling(theirs)(stem)[-1]
    other = make_backbone("resnet50", "frozen_batch")
    with open_weights(file) as opened:
        assign(other, opened.layers, "file")
    for name, layer in weighted_layers(other).items():
        if name.startswith("bn"):
            layer.gamma.assign(theirs.get_layer(keras_name(name)).gamma)
    assert deviation(other(image)[-1], expected) > 0.01


def test_everything_but_gamma_is_taken_bit_by_bit(theirs, ours):
    compared = 0
    for name, layer in weighted_layers(ours).items():
        for mine, other in zip(
            layer.variables, theirs.get_layer(keras_name(name)).variables, strict=True
        ):
            assert mine.name == other.name
            if mine.name != "gamma":
                np.testing.assert_array_equal(
                    ops.convert_to_numpy(mine), ops.convert_to_numpy(other), name
                )
                compared += 1
    assert compared == 318 - 53


@pytest.mark.parametrize("backbone", ["resnet50", "resnet101"])
def test_names_and_shapes_of_the_whole_network(backbone):
    """ResNet-101 has 23 blocks in stage 4, lettered a to w."""
    applications = {
        "resnet50": keras.applications.ResNet50,
        "resnet101": keras.applications.ResNet101,
    }
    theirs = applications[backbone](weights=None, include_top=False)
    listed = {
        layer.name: [(v.name, tuple(v.shape)) for v in layer.variables]
        for layer in theirs.layers
        if layer.variables
    }
    layout = backbone_layout(backbone)
    assert {keras_name(name): weights for name, weights in layout.items()} == listed
    assert all(our_name(keras_name(name)) == name for name in layout)


@pytest.mark.parametrize(
    "name", ["conv6_block1_1_conv", "conv2_block1_4_bn", "conv2_block0_1_bn", "predictions", ""]
)
def test_names_that_neither_has(name):
    assert our_name(name) is None
    assert keras_name(name) is None


def arrays_of(model):
    return {
        name: {v.name: ops.convert_to_numpy(v).copy() for v in layer.variables}
        for name, layer in weighted_layers(model).items()
    }


@pytest.mark.parametrize("classifier", [False, True])
def test_old_files_are_taken_bit_by_bit(ours, tmp_path, classifier):
    arrays = arrays_of(ours)
    write_old_keras_file(tmp_path / "old.h5", arrays, classifier)
    other = make_backbone("resnet50", "frozen_batch")
    with open_weights(tmp_path / "old.h5") as opened:
        assert (opened.layout, opened.backbone) == ("keras-old", "resnet50")
        assert opened.ignored == (("fc1000",) if classifier else ())
        assign(other, opened.layers, "file")
    for name, weights in arrays_of(other).items():
        for role, array in weights.items():
            np.testing.assert_array_equal(array, arrays[name][role], name)


def test_swapped_weights_of_an_old_file_are_noticed(ours, tmp_path):
    arrays = arrays_of(ours)
    arrays["bn3a_branch1"] = dict(reversed(arrays["bn3a_branch1"].items()))
    write_old_keras_file(tmp_path / "old.h5", arrays)
    with (
        open_weights(tmp_path / "old.h5") as opened,
        pytest.raises(UserError, match="gamma is moving_variance in the file"),
    ):
        assign(make_backbone("resnet50", "frozen_batch"), opened.layers, "file")


def test_keras_applications_reads_what_is_converted_for_it(ours, theirs, tmp_path, image):
    """By position, as it does; and its features are ours."""
    write_old_keras_file(tmp_path / "old.h5", arrays_of(ours))
    assert convert(tmp_path / "old.h5", tmp_path / "new.h5", "keras-applications") == 106
    again = keras.applications.ResNet50(include_top=False, weights=str(tmp_path / "new.h5"))
    for mine, expected in zip(again.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(mine), ops.convert_to_numpy(expected), rtol=1e-6, atol=0
        )
    assert deviation(again(image), theirs(image)) < 1e-4


def test_there_and_back_is_the_same_to_rounding(file, tmp_path):
    convert(file, tmp_path / "old.h5", "keras-old")
    convert(tmp_path / "old.h5", tmp_path / "new.h5", "keras-applications")
    with open_weights(file) as first, open_weights(tmp_path / "new.h5") as second:
        assert first.layers.keys() == second.layers.keys()
        assert first.channel_order == second.channel_order == "BGR"
        for name, weights in first.layers.items():
            for one, two in zip(weights, second.layers[name], strict=True):
                tolerance = 3e-7 if one.role == "gamma" else 0
                np.testing.assert_allclose(one.read(), two.read(), rtol=tolerance, atol=0)


def test_version_2_of_the_resnets_is_refused(tmp_path):
    model = keras.applications.ResNet50V2(weights=None, include_top=False)
    write_keras_file(tmp_path / "v2.h5", model)
    with (
        pytest.raises(UserError, match="nor in ResNet-101, version 1"),
        open_weights(tmp_path / "v2.h5"),
    ):
        pass


def test_the_option_is_off_in_the_reference_and_on_in_the_departures():
    flags = {
        p: ModelConfig.preset(p).imagenet_rgb_stem for p in ("matterport", "nucleus", "thesis")
    }
    assert flags == {"matterport": False, "nucleus": False, "thesis": True}
