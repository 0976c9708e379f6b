"""A tiny run of a U-Net through the command line."""

import numpy as np
import pytest
from PIL import Image
from tiny_run import TINY_UNET, call, read, start_and_kill

from mrcnn_al.config import Config
from mrcnn_al.run_store import RunStore

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("unet")


@pytest.fixture(scope="module")
def trained(folder):
    """Killed when the first scores are there, and resumed."""
    out, options = folder / "run", ("--strategy", "mask-class", "--iterations", "1")
    command = ("train", "--out", out, "--cache", folder / "cache", *TINY_UNET, *options)
    start_and_kill(out, ["iteration_001/scores.csv"], *command)
    assert (out / "iteration_001" / "scores.csv").exists()
    call(*command, "--resume")
    return out


def test_all_files_are_there_and_agree(trained):
    store = RunStore.open(trained)
    config = Config.from_yaml(store.read_config())
    assert (config.run.learner, config.unet.filters, config.unet.num_classes) == ("unet", 4, 4)
    assert store.read_pool().iteration == 2
    for files in store.iterations():
        history = files.read_history()
        assert {"cross_entropy_loss", "dice_loss", "contour_loss"} <= history[0].keys()
        metrics = files.read_metrics()
        assert {"AP", "mIoU", "Dice", "pixels"} <= metrics.keys()
        assert {record.row.passes for record in files.read_scores()} == {2}
        assert len(files.read_batch().image_ids) == 4
        assert files.weights_path.is_file()
        assert not files.checkpoint_path.exists()
    assert store.report_path.is_file()


def test_pixels_are_evaluated_again(folder, trained, tmp_path, capsys):
    out = tmp_path / "metrics.json"
    call("evaluate", "--run", trained, "--cache", folder / "cache", "--out", out)
    assert "mIoU" in capsys.readouterr().out
    expected, measured = read(trained / "iteration_001" / "metrics.json"), read(out)
    assert measured == {name: expected[name] for name in measured}


def test_predict(trained, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (80, 130, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    options = ("--run", trained, "--out", tmp_path / "found", "--min-confidence", "0")
    call("predict", tmp_path / "wide.png", *options)
    with Image.open(tmp_path / "found" / "wide.png") as overlay:
        assert overlay.size == (130, 80)
    for entry in read(tmp_path / "found" / "results.json"):
        assert entry["segmentation"]["size"] == [80, 130]
