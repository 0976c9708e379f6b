import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from tiny_run import read, run, train

from mrcnn_al.datasets.toy_image import CLASS_NAMES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trained")


@pytest.fixture(scope="module")
def trained(folder):
    options = ("--strategy", "random", "--layers", "heads", "--iterations", "2")
    return train(folder / "run", folder / "cache", *options)


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


def scores_of(metrics):
    return {name: metrics[name] for name in ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")}


def test_evaluate_gives_the_metrics_of_the_run_again(folder, trained, tmp_path):
    out = tmp_path / "metrics.json"
    done = run("evaluate", "--run", trained, "--cache", folder / "cache", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "iteration_002" in done.stdout
    assert "24 test images of toy" in done.stdout
    expected = read(trained / "iteration_002" / "metrics.json")
    measured = read(out)
    assert scores_of(measured) == scores_of(expected)
    assert measured == {name: expected[name] for name in measured}


def test_evaluate_the_weights_file_of_an_iteration(folder, trained, tmp_path):
    """`--split` and `--iteration` choose what is measured, and on what."""
    out = tmp_path / "metrics.json"
    options = ("--iteration", "1", "--split", "validation", "--out", out)
    done = run("evaluate", "--run", trained, "--cache", folder / "cache", *options)
    assert done.returncode == 0, done.stderr
    assert "iteration_001" in done.stdout
    assert "10 validation images" in done.stdout


def test_evaluate_on_other_classes(trained, tmp_path):
    from mrcnn_al.datasets.toy import generate_toy

    generate_toy(tmp_path / "toy", 0, 98)
    weights = trained / "iteration_002" / "weights.h5"
    options = ("--subset", "toy", "--data", tmp_path / "toy")
    done = run("evaluate", "--weights", weights, *options)
    assert done.returncode == 2
    assert "knows the classes nucleus" in done.stderr
    assert "Traceback" not in done.stderr


def test_predict(trained, images, tmp_path):
    photos, sizes = images
    out = tmp_path / "found"
    done = run("predict", photos, "--out", out, "--run", trained, "--min-confidence", "0")
    assert done.returncode == 0, done.stderr
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
    done = run("predict", photos, "--out", tmp_path / "found", "--run", trained)
    assert done.returncode == 2
    assert "zz_broken.png" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "found").exists()


def test_predict_with_a_confidence_out_of_range(trained, images, tmp_path):
    options = ("--out", tmp_path / "found", "--run", trained, "--min-confidence", "50")
    done = run("predict", images[0], *options)
    assert done.returncode == 2
    assert "--min-confidence is 50.0; it must be from 0 to 1" in done.stderr


def test_report_again(trained):
    (trained / "report.html").unlink()
    done = run("report", trained)
    assert done.returncode == 0, done.stderr
    assert (trained / "report.html").is_file()
