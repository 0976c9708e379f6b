"""A user's own COCO folder, through the sample and through the command line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_run import QUICK, call, environment, read, without

from mrcnn_al.datasets.coco_writer import write_coco_folder
from mrcnn_al.datasets.toy_image import CLASS_NAMES, draw_image
from mrcnn_al.errors import UserError

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "own_dataset.py"


def write_photos(folder, count):
    """Synthetic nuclei in the layout of COCO, one image without any."""

    def items():
        for number in range(1, count + 1):
            image, instances = draw_image(np.random.default_rng(number), 64)
            if number == 5:
                instances = instances.select([])
            yield number, f"{number}.png", image, instances

    write_coco_folder(folder, CLASS_NAMES, items())
    (folder / "images").rename(folder / "train2017")
    annotations = folder / "annotations"
    (annotations / "instances.json").rename(annotations / "instances_train2017.json")
    return folder


def sample(*arguments, cwd):
    return subprocess.run(
        [sys.executable, SAMPLE, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=cwd,
        timeout=600,
    )


def test_the_sample_fits_a_page():
    assert len(SAMPLE.read_text(encoding="utf-8").splitlines()) <= 60


def test_what_the_sample_says_about_a_folder_it_cannot_use(tmp_path):
    write_photos(tmp_path / "photos", 2)
    done = sample("photos", cwd=tmp_path)
    assert done.returncode == 2
    assert "own_dataset.py: photos has 2 image(s) to train on" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "--data", "empty"), "no COCO annotation file in"),
        (("train", "--data", "none"), "none does not exist"),
        (("train", "--data", "photos", "--labelled", "6"), "give 1 to 5"),
        (("train", "--subset", "own"), "Your own images need --data"),
        (
            ("evaluate", "--weights", "weights.h5", "--data", "photos"),
            "knows the classes nucleus; own has lymphocyte, fibroblast, tumour cell",
        ),
    ],
)
def test_what_the_commands_say(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "photos", 7)
    (tmp_path / "empty").mkdir()
    (tmp_path / "weights.h5").write_bytes(b"")
    with pytest.raises(UserError, match=words):
        call(*arguments)
    assert not (tmp_path / "runs").exists()


def test_the_sample(tmp_path):
    write_photos(tmp_path / "photos", 6)
    options = ("--learner", "quick", "--iterations", 1, "--labelled", 2, "--out", "run")
    done = sample("photos", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 classes (lymphocyte, fibroblast, tumour cell)" in done.stdout
    assert "4 images to train on, 1 for validation, 1 for the test; 2 labelled" in done.stdout
    assert (tmp_path / "run" / "page.png").is_file()
    assert (tmp_path / "run" / "report.html").is_file()
    assert len(read(tmp_path / "run" / "iteration_001" / "batch.json")["image_ids"]) == 2


def test_train_resume_and_evaluate(tmp_path, capsys):
    """Without --subset, with the classes of the file."""
    photos, out = write_photos(tmp_path / "photos", 20), tmp_path / "run"
    # The numbers that follow from the images are asked for.
    once = (*without(QUICK, "--labelled", "--batch", "--scale"), "--strategy", "random")
    call("train", "--data", photos, "--out", out, *once, "--iterations", "1")
    text = capsys.readouterr().out
    assert "14 images to train on, 2 for validation, 4 for the test; 6 labelled" in text
    assert "6 more in each iteration" in text
    config = (out / "config.yaml").read_text()
    assert "subset: own" in config
    assert "tumour cell" in config
    assert (len(read(out / "pool.json")["labelled"]), read(out / "pool.json")["iteration"]) == (
        12,
        2,
    )

    call("train", "--resume", "--out", out, "--iterations", "2")
    assert (out / "iteration_002" / "metrics.json").is_file()

    capsys.readouterr()
    call("evaluate", "--run", out, "--out", tmp_path / "metrics.json")
    assert "4 test images of own" in capsys.readouterr().out
    expected = read(out / "iteration_002" / "metrics.json")
    measured = read(tmp_path / "metrics.json")
    assert measured == {name: expected[name] for name in measured}

    # The images are not those any more.
    path = photos / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    kept = [entry for entry in content["images"] if entry["id"] != 7]
    there = [entry for entry in content["annotations"] if entry["image_id"] != 7]
    path.write_text(json.dumps({**content, "images": kept, "annotations": there}))
    with pytest.raises(UserError, match="not those that the run"):
        call("train", "--resume", "--out", out, "--iterations", "3")
