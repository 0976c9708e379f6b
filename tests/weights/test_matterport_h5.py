"""Matterport's h5 layout: what is read, what is refused, and what the report says."""

import json

import h5py
import keras
import numpy as np
import pytest
from keras import ops

from mrcnn_al.config import ModelConfig
from mrcnn_al.errors import UserError
from mrcnn_al.model import MaskRCNN
from mrcnn_al.weights.layers import weighted_layers
from mrcnn_al.weights.layout import CLASS_LAYERS


def make_model(num_classes=3, seed=0):
    keras.utils.set_random_seed(seed)
    return MaskRCNN(
        ModelConfig.preset(
            "cpu",
            num_classes=num_classes,
            top_down_pyramid_size=8,
            rpn_channels=8,
            fpn_classif_fc_layers_size=8,
            mask_head_channels=8,
        )
    )


def values(model):
    return {
        f"{name}/{v.name}": ops.convert_to_numpy(v).copy()
        for name, layer in weighted_layers(model).items()
        for v in layer.variables
    }


def changed(before, after):
    return {name for name in before if (before[name] != after[name]).any()}


@pytest.fixture(scope="module")
def model():
    return make_model()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A file that fits, of a model with other weights."""
    path = tmp_path_factory.mktemp("weights") / "source.h5"
    make_model(seed=1).save_weights(path)
    return path


@pytest.fixture
def file(source, tmp_path):
    """A copy of it to spoil."""
    path = tmp_path / "weights.h5"
    path.write_bytes(source.read_bytes())
    return path


def refused(model, path, **options):
    """The message; nothing may have been assigned."""
    before = values(model)
    with pytest.raises(UserError) as error:
        model.load_weights(path, **options)
    assert not changed(before, values(model))
    return str(error.value)


def test_all_layers_are_loaded(source):
    model, before = make_model(), values(make_model())
    report = model.load_weights(source)
    assert report.complete
    assert set(report.loaded) == set(weighted_layers(model))
    expected = values(make_model(seed=1))
    assert not changed(expected, values(model))
    assert {name for name in before if name.endswith("kernel")} <= changed(before, values(model))


def test_a_missing_layer_is_named(model, file):
    with h5py.File(file, "a") as h5:
        del h5["fpn_p3"], h5["mrcnn_mask_deconv"]
    message = refused(model, file)
    assert "2 layers missing in the file: fpn_p3, mrcnn_mask_deconv" in message


def test_an_unexpected_layer_is_named(model, file):
    with h5py.File(file, "a") as h5:
        h5.copy("fpn_p3", "fpn_p9")
        h5.attrs["layer_names"] = [*h5.attrs["layer_names"], b"fpn_p9"]
    assert "1 layers of the file unknown to the model: fpn_p9" in refused(model, file)


def test_both_shapes_of_a_mismatch_are_shown(model, file):
    with h5py.File(file, "a") as h5:
        del h5["fpn_p3/fpn_p3/bias:0"]
        h5["fpn_p3/fpn_p3/bias:0"] = np.zeros(9, np.float32)
    assert "fpn_p3/bias is (9,) in the file, (8,) in the model" in refused(model, file)


def test_another_number_of_classes_points_to_the_heads(source, tmp_path):
    message = refused(make_model(num_classes=5), source)
    assert "exclude the heads" in message
    assert "mrcnn_class_logits/kernel is (8, 3) in the file, (8, 5) in the model" in message


def test_excluded_heads_stay_as_they_are(source):
    model = make_model(num_classes=5)
    before = values(model)
    report = model.load_weights(source, exclude=("heads",))
    assert sorted(report.excluded) == sorted(CLASS_LAYERS)
    touched = {name.split("/")[0] for name in changed(before, values(model))}
    assert not touched & set(CLASS_LAYERS)
    assert {"lite1_stem_conv", "rpn_class_raw", "mrcnn_class_conv1"} <= touched


def test_a_layer_can_be_excluded_by_name(source):
    model = make_model()
    before = values(model)
    report = model.load_weights(source, exclude=("fpn_p3",))
    assert report.excluded == ["fpn_p3"]
    assert "fpn_p3/kernel" not in changed(before, values(model))


def test_excluding_an_unknown_layer_is_an_error(model, source):
    assert "'fpn_p33'" in refused(model, source, exclude=("fpn_p33",))


def test_the_order_of_groups_does_not_matter(source, tmp_path):
    path = tmp_path / "shuffled.h5"
    with h5py.File(source) as old, h5py.File(path, "w", track_order=True) as new:
        names = list(old)
        np.random.default_rng(0).shuffle(names)
        for name in names:
            old.copy(name, new)
        new.attrs["layer_names"] = [name.encode() for name in reversed(names)]
        assert list(new) != sorted(names)
    model = make_model()
    model.load_weights(path)
    assert not changed(values(make_model(seed=1)), values(model))


def test_swapped_gamma_and_beta_are_noticed(model, file):
    with h5py.File(file, "a") as h5:
        attributes = h5["lite1_stem_bn"].attrs
        first, second, *rest = attributes["weight_names"]
        attributes["weight_names"] = [second, first, *rest]
    message = refused(model, file)
    assert "lite1_stem_bn/gamma is beta in the file, gamma in the model" in message


def test_swapped_layers_of_the_rpn_are_noticed(model, file):
    with h5py.File(file, "a") as h5:
        attributes = h5["rpn_model"].attrs
        one, two, *rest = attributes["weight_names"]
        attributes["weight_names"] = [*rest, one, two]
    assert "stands where" in refused(model, file)


def test_an_incomplete_rpn_is_refused(model, file):
    with h5py.File(file, "a") as h5:
        attributes = h5["rpn_model"].attrs
        attributes["weight_names"] = attributes["weight_names"][:4]
    assert "rpn_model has 4 weights instead of 6" in refused(model, file)


@pytest.mark.parametrize("kind", ["soft", "external", "dangling"])
def test_links_are_refused(model, file, source, kind):
    name = "fpn_p3/fpn_p3/bias:0"
    link = {
        "soft": h5py.SoftLink("/fpn_p2/fpn_p2/bias:0"),
        "external": h5py.ExternalLink(str(source), name),
        "dangling": h5py.SoftLink("/nowhere"),
    }[kind]
    with h5py.File(file, "a") as h5:
        del h5[name]
        h5[name] = link
    assert "bias:0" in refused(model, file)


def test_a_linked_root_is_refused(model, source, tmp_path):
    path = tmp_path / "linked.h5"
    with h5py.File(path, "w") as h5:
        h5["model_weights"] = h5py.ExternalLink(str(source), "/")
    assert "link" in refused(model, path)


def test_external_storage_is_refused(model, file, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(32))
    with h5py.File(file, "a") as h5:
        del h5["fpn_p3/fpn_p3/bias:0"]
        group = h5["fpn_p3/fpn_p3"]
        group.create_dataset("bias:0", (8,), np.float32, external=[(str(secret), 0, 32)])
    assert "does not lie in the file" in refused(model, file)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_with_its_layer(model, file, value):
    with h5py.File(file, "a") as h5:
        h5["mrcnn_mask/mrcnn_mask/kernel:0"][0, 0, 3, 1] = value
    message = refused(model, file)
    assert "'mrcnn_mask/kernel:0' of the layer 'mrcnn_mask' holds NaN or infinity" in message


def test_a_variance_below_zero_is_refused_with_its_layer(model, file):
    with h5py.File(file, "a") as h5:
        h5["lite1_stem_bn/lite1_stem_bn/moving_variance:0"][5] = -0.001
    assert "'lite1_stem_bn' has a variance below zero" in refused(model, file)


def test_a_shape_is_checked_before_anything_is_read(model, file):
    """Four terabytes are announced, in a file of a few megabytes."""
    with h5py.File(file, "a") as h5:
        del h5["fpn_p3/fpn_p3/kernel:0"]
        h5.create_dataset("fpn_p3/fpn_p3/kernel:0", (10**6, 10**6), np.float32, chunks=(1, 8))
    assert "fpn_p3/kernel is (1000000, 1000000) in the file" in refused(model, file)


@pytest.mark.parametrize("chunks", [None, (3, 3, 8, 8), (1, 3, 8, 8)])
def test_announced_weights_without_data_are_refused(model, file, chunks):
    """HDF5 itself would read them as zeros."""
    with h5py.File(file, "a") as h5:
        del h5["fpn_p3/fpn_p3/kernel:0"]
        made = h5.create_dataset("fpn_p3/fpn_p3/kernel:0", (3, 3, 8, 8), np.float32, chunks=chunks)
        if chunks == (1, 3, 8, 8):
            made[1] = 1
        assert not made[0].any()
    assert "data are" in refused(model, file)
    with h5py.File(file, "a") as h5:
        h5["fpn_p3/fpn_p3/kernel:0"][...] = 1
    assert model.load_weights(file).complete


def test_packed_weights_are_loaded(model, file, source):
    values_there = {}
    with h5py.File(file, "a") as h5:
        for name in ("fpn_p3/fpn_p3/kernel:0", "rpn_model/rpn_conv_shared/kernel:0"):
            values_there[name] = h5[name][()]
            del h5[name]
            options = {"compression": "gzip", "shuffle": True, "fletcher32": "fpn" in name}
            h5.create_dataset(name, data=values_there[name], chunks=(2, 2, 5, 5), **options)
    model.load_weights(file)
    for name, expected in values_there.items():
        kernel = weighted_layers(model)[name.split("/")[1]].kernel
        np.testing.assert_array_equal(ops.convert_to_numpy(kernel), expected)


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_truncated_file_is_refused(model, file, share):
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    assert "not readable as HDF5" in refused(model, file)


def test_a_listed_weight_that_is_not_there_is_an_error(model, file):
    with h5py.File(file, "a") as h5:
        del h5["fpn_p3/fpn_p3/bias:0"]
    assert "'bias:0' is listed but not there" in refused(model, file)


def test_no_file_no_weights(model, tmp_path):
    assert "does not exist" in refused(model, tmp_path / "none.h5")
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    assert "holds no weights" in refused(model, tmp_path / "empty.h5")


def test_whole_models_hold_their_weights_in_a_group(source, tmp_path):
    path = tmp_path / "whole.h5"
    with h5py.File(source) as old, h5py.File(path, "w") as new:
        group = new.create_group("model_weights")
        group.attrs.update(old.attrs)
        for name in old:
            old.copy(name, group)
    assert make_model().load_weights(path).complete


@pytest.fixture(scope="module")
def reference_model(shared):
    model = MaskRCNN(ModelConfig.preset("matterport", backbone="resnet50", num_classes=4))
    model.load_weights(shared / "parity" / "small_weights.h5")
    return model


def test_the_references_file_comes_back_bit_by_bit(reference_model, shared, tmp_path):
    reference_model.save_weights(tmp_path / "ours.h5")
    layout = json.loads((shared / "parity" / "h5_layout_small.json").read_text())
    compared = 0
    files = shared / "parity" / "small_weights.h5", tmp_path / "ours.h5"
    with h5py.File(files[0]) as theirs, h5py.File(files[1]) as ours:
        for name, group in layout["groups"].items():
            if not group["weight_names"]:
                continue
            names = ours[name].attrs["weight_names"]
            # Keras 2 decodes the names, so they must be bytes.
            np.testing.assert_array_equal(names, theirs[name].attrs["weight_names"])
            assert names.dtype.kind == "S"
            for dataset in group["datasets"]:
                path = dataset["path"]
                np.testing.assert_array_equal(ours[path][()], theirs[path][()], path)
                assert ours[path].dtype == dataset["dtype"]
                compared += 1
    assert compared == 384
