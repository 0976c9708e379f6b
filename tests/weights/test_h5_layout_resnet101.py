"""The layout of the reference's files at full size: read, every tensor in place, and written."""

import json
import zlib

import h5py
import numpy as np
import pytest
from keras import ops

from mrcnn_al.config import ModelConfig
from mrcnn_al.model import MaskRCNN
from mrcnn_al.weights.layers import weighted_layers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model():
    return MaskRCNN(ModelConfig.preset("matterport", num_classes=81))


@pytest.fixture(params=["training", "inference"])
def layout(request, shared):
    path = shared / "parity" / f"h5_layout_resnet101_81_{request.param}.json"
    return json.loads(path.read_text())


def content(path, shape, mode):
    """An array like no other: drawn for its own path and kind of file, all values positive."""
    rng = np.random.default_rng(zlib.crc32(f"{mode} {path}".encode()))
    return rng.random(shape, np.float32)


def write(path, layout, mode):
    """A file with all that is listed: attributes, groups in order, those without weights too."""
    with h5py.File(path, "w") as file:
        for name, value in layout["attributes"].items():
            file.attrs[name] = value.encode()
        file.attrs["layer_names"] = [name.encode() for name in layout["layer_names"]]
        for name in layout["layer_names"]:
            listed = layout["groups"][name]
            group = file.create_group(name)
            group.attrs["weight_names"] = [weight.encode() for weight in listed["weight_names"]]
            for weight, dataset in zip(listed["weight_names"], listed["datasets"], strict=True):
                assert dataset["path"] == f"/{name}/{weight}"
                file[dataset["path"]] = content(dataset["path"], dataset["shape"], mode)
                assert file[dataset["path"]].dtype == dataset["dtype"]


def test_every_tensor_of_the_public_layout_is_loaded_in_place(model, layout, tmp_path):
    mode = layout["about"]
    write(tmp_path / "mask_rcnn_coco.h5", layout, mode)
    report = model.load_weights(tmp_path / "mask_rcnn_coco.h5")
    (tmp_path / "mask_rcnn_coco.h5").unlink()
    assert report.complete
    assert not report.excluded
    layers = weighted_layers(model)
    assert set(report.loaded) == set(layers)

    remaining, values, seen = dict(layers), 0, set()
    for name, group in layout["groups"].items():
        paths = {}
        for weight, dataset in zip(group["weight_names"], group["datasets"], strict=True):
            # The RPN's three layers lie in one group, each under its own name.
            owner = weight.split("/")[0] if name == "rpn_model" else name
            paths.setdefault(owner, []).append((weight, dataset))
        for owner, listed in paths.items():
            for variable, (weight, dataset) in zip(
                remaining.pop(owner).variables, listed, strict=True
            ):
                assert weight.endswith(f"/{variable.name}:0")
                theirs = content(dataset["path"], dataset["shape"], mode)
                ours = ops.convert_to_numpy(variable)
                assert ours.dtype == dataset["dtype"]
                np.testing.assert_array_equal(ours, theirs, dataset["path"])
                seen.add(ours.tobytes()[:64])
                values += ours.size
    assert not remaining
    assert values == layout["n_parameters"] == model.count_params()
    assert len(seen) == layout["n_datasets"], "two tensors could have been swapped unnoticed"


def test_what_is_written_is_what_is_listed(model, layout, tmp_path):
    """Groups, names of weights in order, paths, shapes and types; 81 classes, ResNet-101."""
    model.save_weights(tmp_path / "ours.h5")
    weighted = [name for name in layout["layer_names"] if layout["groups"][name]["weight_names"]]
    written = []
    with h5py.File(tmp_path / "ours.h5") as file:
        names = [name.decode() for name in file.attrs["layer_names"]]
        # In training mode the reference interleaves its heads.
        assert names == weighted if "inference" in layout["about"] else set(names) == set(weighted)
        assert set(file) == set(weighted)
        for name, value in layout["attributes"].items():
            assert file.attrs[name] == value
        for name in weighted:
            listed = layout["groups"][name]
            assert [w.decode() for w in file[name].attrs["weight_names"]] == listed["weight_names"]
        file.visititems(
            lambda path, item: (
                written.append({"path": f"/{path}", "shape": list(item.shape), "dtype": item.dtype})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    listed = [dataset for name in weighted for dataset in layout["groups"][name]["datasets"]]
    by_path = lambda dataset: dataset["path"]
    assert sorted(written, key=by_path) == sorted(listed, key=by_path)
    (tmp_path / "ours.h5").unlink()
