"""The real network through the whole program: trained, killed, resumed, measured, used."""

import pytest
from PIL import Image
from tiny_run import TINY, call, differences, read, start_and_kill, train

from mrcnn_al.config import Config
from mrcnn_al.run_store import RunStore

pytestmark = pytest.mark.slow

# Two epochs, so that there is a checkpoint between them.
OPTIONS = (
    *("--epochs", "2", "--steps-per-epoch", "2", "--pseudo-threshold", "40"),
    *("--iterations", "1"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("mask_rcnn")


@pytest.fixture(scope="module")
def trained(folder):
    """In this process."""
    return train(folder / "run", folder / "cache", *OPTIONS, tiny=TINY)


@pytest.fixture(scope="module")
def killed(folder):
    """In a process of its own, between two epochs or soon after; then resumed in this one."""
    out = folder / "killed"
    command = ("train", "--out", out, "--cache", folder / "cache", *TINY, *OPTIONS, "--resume")
    assert start_and_kill(out, ["iteration_001/checkpoint.npz"], *command)
    call(*command)
    return out


def test_what_is_there(trained):
    store = RunStore.open(trained)
    config = Config.from_yaml(store.read_config())
    assert (config.run.learner, config.model.num_classes) == ("mask_rcnn", 4)
    (files,) = store.iterations()
    assert [row["epoch"] for row in files.read_history()] == [1, 2]
    assert {"rpn_class_loss", "mrcnn_mask_loss", "loss"} <= files.read_history()[0].keys()
    rows = [record.row for record in files.read_scores()]
    assert {row.passes for row in rows} == {2}
    assert max(row.detections for row in rows) > 0
    assert not files.checkpoint_path.exists()
    assert files.read_pseudo_labels()


def test_killed_and_resumed_it_ends_as_one_that_was_not(trained, killed):
    """Every byte of weights, scores and batches; so does the same seed a second time."""
    assert differences(trained, killed) == []


def test_evaluate_gives_the_metrics_of_the_run_again(folder, trained, tmp_path, capsys):
    out = tmp_path / "metrics.json"
    call("evaluate", "--run", trained, "--cache", folder / "cache", "--out", out)
    assert "6 test images of toy" in capsys.readouterr().out
    expected, measured = read(trained / "iteration_001" / "metrics.json"), read(out)
    assert {"AP", "AP50", "per_class"} <= set(measured)
    assert measured == {name: expected[name] for name in measured}


def test_predict(folder, trained, tmp_path):
    """On the images of the pool, in some of which the model finds something."""
    (images,) = (folder / "cache").glob("toy-*/images")
    options = ("--run", trained, "--min-confidence", "0")
    call("predict", images, "--out", tmp_path / "found", *options)
    names = {path.name for path in images.glob("*.png")}
    assert {path.name for path in (tmp_path / "found").glob("*.png")} == names
    found = read(tmp_path / "found" / "results.json")
    assert found
    for entry in found:
        with Image.open(images / entry["file_name"]) as image:
            assert entry["segmentation"]["size"] == [image.height, image.width]


def test_the_study_of_passes(folder, trained, tmp_path, capsys):
    options = ("--images", "1", "--cache", folder / "cache", "--out", tmp_path / "passes")
    call("reproduce", "passes", "--run", trained, *options)
    text = capsys.readouterr().out
    # The batch of the last iteration is labelled, too.
    assert "1 of 8 unlabelled images" in text
    assert "84.5 %" in text
    assert (tmp_path / "passes" / "passes.png").is_file()
    settings = read(tmp_path / "passes" / "passes.json")
    assert settings["passes"] == [5, 10, 15, 20, 25, 30]
    assert settings["reference"] == 100
