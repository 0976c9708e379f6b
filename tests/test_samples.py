import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_model import use_small_backbone
from tiny_run import environment

SAMPLES = Path(__file__).resolve().parents[1] / "samples"


def call(*arguments, sample="nucleus.py", cwd=None):
    command = [sys.executable, SAMPLES / sample, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(), cwd=cwd, timeout=600
    )


def load_sample(name):
    """A sample as a module, to be called in this process, which has Keras already."""
    spec = importlib.util.spec_from_file_location(f"sample_{name}", SAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_zip(path, count):
    """Kaggle's layout: images of 16 x 16 pixels, each with a bright square and its mask."""
    mask = np.zeros((16, 16), np.uint8)
    mask[4:12, 4:12] = 255
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            for kind, pixels in (("images", np.dstack([mask] * 3)), ("masks", mask)):
                with archive.open(f"stage1_train/{number:04d}/{kind}/{number}.png", "w") as file:
                    Image.fromarray(pixels).save(file, "PNG")
    return path


@pytest.mark.parametrize("command", [None, "train", "detect", "active"])
def test_help(command):
    done = call(*([command] if command else []), "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


@pytest.mark.parametrize("command", ["train", "detect", "active"])
def test_too_few_images_are_one_message(tmp_path, command):
    data = write_zip(tmp_path / "few.zip", 8)
    weights = ("--weights", "w.h5") if command == "detect" else ()
    done = call(command, "--data", data, *weights, "--out", "out", cwd=tmp_path)
    assert done.returncode not in (0, None)
    assert "nucleus.py: The splits of dsb need 664 images, but there are 8" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_detect(tmp_path, monkeypatch, capsys):
    """With random weights: what it finds does not matter, that it draws it does."""
    from mrcnn_al.config import Config
    from mrcnn_al.model import MaskRCNN

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    MaskRCNN(Config.preset("cpu").model).save_weights(tmp_path / "random.h5")
    data = write_zip(tmp_path / "stage1_train.zip", 664)
    options = ("--weights", tmp_path / "random.h5", "--out", tmp_path / "found", "--count", 1)
    arguments = list(map(str, ("detect", "--data", data, *options)))
    load_sample("nucleus").cli.main(arguments, standalone_mode=False)
    assert capsys.readouterr().out.splitlines()[-1].endswith("nuclei")
    names = sorted(path.name for path in (tmp_path / "found").iterdir())
    assert len(names) == 2
    assert names[1] == names[0].replace(".png", "_passes.png")
    with Image.open(tmp_path / "found" / names[0]) as overlay:
        assert overlay.size == (16, 16)


@pytest.mark.slow
def test_coco(tmp_path, monkeypatch, capsys):
    """A single step of a small network, after which it measures and draws as after many."""
    from mrcnn_al.datasets.toy import generate_toy

    use_small_backbone(monkeypatch)
    sample = load_sample("coco")
    small = {"image_min_dim": 64, "image_max_dim": 64, "mask_head_channels": 8}
    small |= {"post_nms_rois_training": 50, "post_nms_rois_inference": 50}
    monkeypatch.setattr(sample, "MODEL", {**sample.MODEL, **small})
    generate_toy(tmp_path / "toy", seed=0, count=2, size=64)
    annotations, out = tmp_path / "toy" / "annotations" / "instances.json", tmp_path / "out"
    arguments = (annotations, tmp_path / "toy" / "images", "--epochs", 1, "--pictures", 1)
    sample.main.main(
        list(map(str, (*arguments, "--weights", "none", "--out", out))), standalone_mode=False
    )
    assert capsys.readouterr().out.splitlines()[-1].startswith("AP ")
    assert {"AP", "AP50", "per_class"} <= set(json.loads((out / "metrics.json").read_text()))
    [picture] = out.glob("*.png")
    with Image.open(picture) as pair:
        assert pair.size == (128, 64)


def test_coco_without_annotations_is_one_message(tmp_path):
    done = call(tmp_path / "none.json", tmp_path, sample="coco.py", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("coco.py: ")
    assert "none.json" in done.stderr
    assert not (tmp_path / "runs").exists()
