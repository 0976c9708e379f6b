import json
import re
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from mrcnn_al.cli.main import main
from mrcnn_al.datasets.toy import generate_toy


@pytest.fixture
def stats(tmp_path, monkeypatch, capsys):
    """Runs `datasets stats` in an empty folder; exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["mrcnn-al", "datasets", "stats", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return ended.value.code or 0, output.out, output.err

    return call


def cells(text, name):
    """The numbers in the row of a table that begins with `name`."""
    (line,) = (line for line in text.splitlines() if name in line and "│" in line)
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_coco_folder(stats, tmp_path):
    dataset = generate_toy(tmp_path / "photos", 1, 5, 64)
    code, text, _ = stats("photos", "--out", "toy.png", "--count", "3")
    assert code == 0
    every = [dataset.load_instances(image_id) for image_id in dataset.image_ids]
    total = sum(map(len, every))
    first = sum(int((instances.class_ids == 1).sum()) for instances in every)
    images = sum(bool((instances.class_ids == 1).any()) for instances in every)
    row = cells(text, "lymphocyte")
    assert row == ["1", "lymphocyte", str(images), str(first), "0", f"{first / total:.1%}"]
    assert cells(text, "image height")[1:] == ["64", "64", "64"]
    assert cells(text, "instances   ")[1:] == [str(total), "0", "0"]
    assert f"5 images, 0 of them without annotations; {total} instances, 0 crowds" in text
    assert "problems: none" in text
    assert "photos/annotations/instances.json" in text
    with Image.open("toy.png") as page:
        assert page.width > 1000


def test_what_is_broken_is_listed(stats, tmp_path):
    generate_toy(tmp_path / "photos", 1, 5, 64)
    path = tmp_path / "photos" / "annotations" / "instances.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["image_id"] = 99
    path.write_text(json.dumps(content))
    (tmp_path / "photos" / "images" / "00002.png").unlink()
    broken = tmp_path / "photos" / "images" / "00003.png"
    broken.write_bytes(broken.read_bytes()[:1000])
    code, text, _ = stats(path)
    assert code == 0
    assert "problems: 3" in text
    assert "00002.png does not exist" in text
    assert "it is of image 99, which is not listed" in text
    assert re.search(r"00003\.png .*damaged or cut off", text)
    assert (tmp_path / "page.png").is_file()


def test_toy(stats, tmp_path):
    code, text, _ = stats("--subset", "toy", "--cache", "cache", "--count", "1")
    assert code == 0
    assert "98 images" in text


def test_dsb(stats, tmp_path):
    with zipfile.ZipFile(tmp_path / "small.zip", "w") as archive:
        for number in range(9):
            for kind in ("images", "masks"):
                with archive.open(f"stage1_train/{number:04d}/{kind}/{number}.png", "w") as file:
                    Image.fromarray(np.full((5, 7), 255, np.uint8)).save(file, "PNG")
    code, text, _ = stats("small.zip", "--subset", "dsb", "--cache", "cache", "--count", "2")
    assert code == 0
    assert cells(text, "nucleus") == ["1", "nucleus", "9", "9", "0", "100.0%"]
    assert cells(text, "image width")[1:] == ["7", "7", "7"]


def test_a_subset_of_coco(stats, shared):
    code, text, _ = stats(shared / "data" / "coco", "--subset", "coco5", "--scale", "4")
    assert code == 0
    assert cells(text, "any class")[1:] == ["4", "2", "2", "2"]
    splits, classes = (line for line in text.splitlines() if "│ motorcycle" in line)
    assert splits.split("│")[2:-1] == [" 2     ", " 1        ", " 1          ", " 1    "]
    assert classes.split("│")[1:4] == [" 2     ", " motorcycle ", "      4 "]
    assert "8 images, 0 of them without annotations" in text
    other = stats(shared / "data" / "coco", "--subset", "coco5", "--scale", "4", "--seed", "1")
    assert other[1] != text


def test_a_subset_that_the_data_are_too_few_for(stats, shared):
    """All images of its classes are shown, and what is lacking."""
    code, text, _ = stats(shared / "data" / "coco", "--subset", "coco4", "--scale", "0.001")
    assert code == 0
    assert "need 3 images of each class from train2017" in text
    assert "surfboard 2, toilet 13. Not even the smallest" in text
    assert cells(text, " surfboard ")[:3] == ["4", "surfboard", "4"]
    assert "51 images, 0 of them without annotations" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("empty", "--scale", "0.1"), "--scale goes with a --subset that has a name"),
        (("empty", "--subset", "coco2", "--scale", "7.5"), "scale 7.5 is out of range"),
        (("empty", "--subset", "coco2"), "instances_train2017.json, which does not exist"),
        ((), "Name a COCO folder"),
        (("absent",), "absent does not exist"),
        (("empty",), "no COCO annotation file in empty"),
        (("--subset", "toys"), "Unknown subset 'toys'"),
        (("--subset", "own"), "Name a COCO folder"),
        (("empty", "--out", "empty"), "is a folder; name a PNG file"),
        (("empty", "--count", "0"), "0 is not in the range"),
    ],
)
def test_what_cannot_be_shown(stats, tmp_path, arguments, words):
    (tmp_path / "empty").mkdir()
    code, _, errors = stats(*arguments)
    assert code == 2
    assert words in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "page.png").exists()


def test_the_real_sample(stats, shared):
    code, text, _ = stats(shared / "data" / "coco", "--count", "4")
    assert code == 0
    assert "283 images, 3 of them without annotations; 2398 instances, 23 crowds" in text
    assert cells(text, " person ")[2:5] == ["142", "571", "12"]
    assert "problems: none" in text
