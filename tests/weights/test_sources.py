"""What `--weights` finds, by what is in the files, and what is told where there is none."""

import h5py
import numpy as np
import pytest
from keras import ops
from keras_files import make_resnet50, write_keras_file, write_old_keras_file

from mrcnn_al.config import ModelConfig
from mrcnn_al.errors import UserError
from mrcnn_al.model import MaskRCNN
from mrcnn_al.weights import sources
from mrcnn_al.weights.convert import convert
from mrcnn_al.weights.known_files import COCO_FILE, IMAGENET_FILES, KnownFile
from mrcnn_al.weights.layers import weighted_layers
from mrcnn_al.weights.layout import backbone_layout
from mrcnn_al.weights.sources import load_named_weights, weights_folder

SMALL = {
    "top_down_pyramid_size": 8,
    "rpn_channels": 8,
    "fpn_classif_fc_layers_size": 8,
    "mask_head_channels": 8,
    "pool_size": 2,
}
NAME = IMAGENET_FILES["resnet50"].name


def make_model(preset="thesis", **settings):
    return MaskRCNN(ModelConfig.preset(preset, **SMALL, **{"backbone": "resnet50", **settings}))


@pytest.fixture(scope="module")
def new_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "new.h5"
    write_keras_file(path, make_resnet50())
    return path


@pytest.fixture(scope="module")
def model():
    return make_model()


@pytest.fixture(scope="module")
def reference():
    return make_model("matterport")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty weights folder, and no network."""
    monkeypatch.setenv("MRCNN_AL_WEIGHTS", str(tmp_path / "weights"))
    nobody = lambda file: KnownFile(file.name, "http://127.0.0.1:1/" + file.name, file.md5)
    monkeypatch.setattr(sources, "COCO_FILE", nobody(COCO_FILE))
    for backbone, file in IMAGENET_FILES.items():
        monkeypatch.setitem(IMAGENET_FILES, backbone, nobody(file))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def stem(model):
    return ops.convert_to_numpy(weighted_layers(model)["conv1"].kernel)


def stem_in(path, name="conv1_conv"):
    with h5py.File(path) as file:
        return file[f"{name}/{name}/kernel:0"][()]


def test_the_folder(monkeypatch, folder):
    assert weights_folder() == folder
    monkeypatch.setenv("MRCNN_AL_WEIGHTS", "")
    assert str(weights_folder()) == "weights"


def test_a_file_under_the_known_name_is_loaded_by_what_it_is(model, folder, new_file):
    """Its checksum is that of no published file, and its layout the other one."""
    (folder / NAME).write_bytes(new_file.read_bytes())
    report = load_named_weights(model, "imagenet")
    assert report.complete
    assert set(report.loaded) == set(backbone_layout("resnet50"))
    assert "layout of keras.applications" in str(report)
    np.testing.assert_array_equal(stem(model), stem_in(new_file)[:, :, ::-1])


def test_the_reference_feeds_rgb_to_what_was_trained_on_bgr(reference, folder, new_file):
    (folder / NAME).write_bytes(new_file.read_bytes())
    load_named_weights(reference, "imagenet")
    np.testing.assert_array_equal(stem(reference), stem_in(new_file))


def test_the_turned_stem_sees_in_rgb_what_keras_sees_in_bgr(model, reference, folder, new_file):
    (folder / NAME).write_bytes(new_file.read_bytes())
    image = np.random.default_rng(0).normal(0, 60, (1, 64, 64, 3)).astype(np.float32)
    for each in (model, reference):
        load_named_weights(each, "imagenet")
    rgb = ops.convert_to_numpy(model.backbone(image)[-1])
    bgr = ops.convert_to_numpy(reference.backbone(image[..., ::-1].copy())[-1])
    np.testing.assert_allclose(rgb, bgr, rtol=0, atol=1e-4 * np.sqrt(np.mean(bgr**2)))


def test_both_layouts_give_the_same_model(model, tmp_path, new_file):
    load_named_weights(model, str(new_file))
    expected = {
        n: [ops.convert_to_numpy(v) for v in layer.variables]
        for n, layer in weighted_layers(model).items()
    }
    arrays = {
        name: {v: a for (v, _), a in zip(weights, expected[name], strict=True)}
        for name, weights in backbone_layout("resnet50").items()
    }
    arrays["conv1"]["kernel"] = arrays["conv1"]["kernel"][:, :, ::-1]
    write_old_keras_file(tmp_path / "old.h5", arrays)
    other = make_model()
    report = load_named_weights(other, str(tmp_path / "old.h5"))
    assert "Keras's old ImageNet files" in str(report)
    for name in arrays:
        for mine, value in zip(weighted_layers(other)[name].variables, expected[name], strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(mine), value, name)


def test_the_backbone_of_a_trained_model_is_not_turned(model, tmp_path):
    """It was trained on the RGB that it was fed, and its file says so."""
    model.save_weights(tmp_path / "whole.h5")
    for layout, name in (("keras-old", "conv1"), ("keras-applications", "conv1_conv")):
        path = tmp_path / f"{layout}.h5"
        convert(tmp_path / "whole.h5", path, layout)
        other = make_model()
        assert len(load_named_weights(other, str(path)).loaded) == 106
        np.testing.assert_array_equal(stem_in(path, name), stem(model))
        np.testing.assert_array_equal(stem(other), stem(model))


@pytest.mark.parametrize("backbone", ["resnet50", "resnet101"])
def test_missing_imagenet_weights_are_told_with_address_and_place(model, folder, backbone):
    model = model if backbone == "resnet50" else make_model(backbone=backbone)
    with pytest.raises(UserError) as error:
        load_named_weights(model, "imagenet")
    file = IMAGENET_FILES[backbone]
    for told in (file.url, str(folder / file.name)):
        assert told in str(error.value)
    assert not list(folder.iterdir())


def test_missing_coco_weights_are_told_with_address_and_place(folder):
    model = MaskRCNN(ModelConfig.preset("matterport", num_classes=5))
    with pytest.raises(UserError, match="another number of classes, exclude the heads"):
        load_named_weights(model, "coco")
    with pytest.raises(UserError, match=r"could not be downloaded .*/mask_rcnn_coco\.h5") as error:
        load_named_weights(model, "coco", exclude=("heads",))
    assert str(folder / COCO_FILE.name) in str(error.value)


def test_nothing_is_downloaded_for_a_model_that_cannot_take_it(model):
    with pytest.raises(UserError, match=r"mask_rcnn_coco\.h5.*layers missing|do not fit") as error:
        load_named_weights(model, "coco", exclude=("heads",))
    assert "downloaded" not in str(error.value)


def test_weights_of_another_backbone(model, tmp_path, new_file):
    other = make_model("cpu", backbone="efficientnet_lite0")
    with pytest.raises(UserError, match="holds a backbone resnet50; the model has efficientnet"):
        load_named_weights(other, str(new_file))


def test_a_whole_model_under_the_name_of_imagenet_weights(model, folder):
    model.save_weights(folder / NAME)
    with pytest.raises(UserError, match="a whole Mask R-CNN"):
        load_named_weights(model, "imagenet")


def test_a_backbone_of_a_file_must_be_whole(model, tmp_path, new_file):
    path = tmp_path / "part.h5"
    path.write_bytes(new_file.read_bytes())
    with h5py.File(path, "a") as file:
        del file["conv5_block2_1_conv"]
    before = stem(model).copy()
    with pytest.raises(UserError, match="1 layers missing in the file: res5b_branch2a"):
        load_named_weights(model, str(path))
    np.testing.assert_array_equal(stem(model), before)
