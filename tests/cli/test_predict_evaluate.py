import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from tiny_run import call, read, train

from mrcnn_al.datasets.toy_image import CLASS_NAMES
from mrcnn_al.errors import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trained")


@pytest.fixture(scope="module")
def trained(folder):
    return train(folder / "run", folder / "cache", "--strategy", "random")


@pytest.fixture
def images(tmp_path):
    """A wide one and a tall grey one, by path to (height, width)."""
    rng = np.random.default_rng(0)
    sizes = {"wide.png": (80, 130), "tall.jpg": (200, 60)}
    (tmp_path / "photos").mkdir()
    for name, size in sizes.items():
        pixels = rng.integers(0, 256, size, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / name)
    return tmp_path / "photos", sizes


def test_evaluate_an_iteration(folder, trained, tmp_path, capsys):
    """`--split` and `--iteration` choose what is measured, and on what."""
    out = tmp_path / "metrics.json"
    options = ("--iteration", "1", "--split", "validation", "--out", out)
    call("evaluate", "--run", trained, "--cache", folder / "cache", *options)
    text = capsys.readouterr().out
    assert "iteration_001" in text
    assert "3 validation images of toy" in text
    assert {"AP", "AP50", "per_class"} <= set(read(out))


def test_evaluate_on_other_classes(trained, tmp_path):
    from mrcnn_al.datasets.toy import generate_toy

    generate_toy(tmp_path / "toy", 0, 98)
    weights = trained / "iteration_002" / "weights.h5"
    options = ("--subset", "toy", "--data", tmp_path / "toy")
    with pytest.raises(UserError, match="knows the classes nucleus"):
        call("evaluate", "--weights", weights, *options)


def test_predict(trained, images, tmp_path):
    photos, sizes = images
    out = tmp_path / "found"
    call("predict", photos, "--out", out, "--run", trained, "--min-confidence", "0")
    assert sorted(path.name for path in out.iterdir()) == ["results.json", "tall.png", "wide.png"]
    for name, (height, width) in sizes.items():
        with Image.open(out / f"{name.split('.')[0]}.png") as overlay:
            assert overlay.size == (width, height)
    results = read(out / "results.json")
    assert {result["file_name"] for result in results} <= set(sizes)
    assert results
    for result in results:
        height, width = sizes[result["file_name"]]
        assert result["image_id"] == 1 + sorted(sizes).index(result["file_name"])
        assert result["category_name"] == CLASS_NAMES[result["category_id"] - 1]
        assert 0 <= result["score"] <= 1
        mask = coco_mask.decode(result["segmentation"])
        assert mask.shape == (height, width)
        x, y, box_width, box_height = result["bbox"]
        assert min(x, y) >= 0
        assert x + box_width <= width
        assert y + box_height <= height


@pytest.mark.parametrize("content", [b"no image", None], ids=["text", "cut off"])
def test_predict_looks_at_all_images_first(trained, images, tmp_path, content):
    photos, _ = images
    broken = photos / "zz_broken.png"
    broken.write_bytes(content or (photos / "wide.png").read_bytes()[:300])
    with pytest.raises(UserError, match=r"zz_broken\.png"):
        call("predict", photos, "--out", tmp_path / "found", "--run", trained)
    assert not (tmp_path / "found").exists()


def test_predict_with_a_confidence_out_of_range(trained, images, tmp_path):
    options = ("--out", tmp_path / "found", "--run", trained, "--min-confidence", "50")
    with pytest.raises(UserError, match=r"--min-confidence is 50\.0; it must be from 0 to 1"):
        call("predict", images[0], *options)


def test_report_again(trained):
    (trained / "report.html").unlink()
    call("report", trained)
    assert (trained / "report.html").is_file()
