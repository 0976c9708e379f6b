import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_run import environment

pytestmark = pytest.mark.slow
SAMPLES = Path(__file__).resolve().parents[1] / "samples"


def call(*arguments, sample="nucleus.py", cwd=None):
    command = [sys.executable, SAMPLES / sample, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(), cwd=cwd, timeout=600
    )


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


def test_detect(tmp_path, monkeypatch):
    """With random weights: what it finds does not matter, that it draws it does."""
    from mrcnn_al.config import Config
    from mrcnn_al.model import MaskRCNN

    MaskRCNN(Config.preset("cpu").model).save_weights(tmp_path / "random.h5")
    data = write_zip(tmp_path / "stage1_train.zip", 664)
    options = ("--weights", tmp_path / "random.h5", "--out", tmp_path / "found", "--count", 1)
    done = call("detect", "--data", data, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("nuclei")
    names = sorted(path.name for path in (tmp_path / "found").iterdir())
    assert len(names) == 2
    assert names[1] == names[0].replace(".png", "_passes.png")
    with Image.open(tmp_path / "found" / names[0]) as overlay:
        assert overlay.size == (16, 16)


def test_coco(tmp_path):
    """A single step, after which it measures and draws as after many."""
    from mrcnn_al.datasets.toy import generate_toy

    generate_toy(tmp_path / "toy", seed=0, count=2, size=64)
    annotations, out = tmp_path / "toy" / "annotations" / "instances.json", tmp_path / "out"
    arguments = (annotations, tmp_path / "toy" / "images", "--epochs", 1, "--pictures", 1)
    done = call(*arguments, "--out", out, sample="coco.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("AP ")
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
