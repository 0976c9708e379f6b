import sys
import urllib.request

import pytest
import yaml
from tiny_run import call

from mrcnn_al.cli.main import main
from mrcnn_al.config import Config
from mrcnn_al.experiments.table import EXPERIMENTS
from mrcnn_al.run_store import RunStore

TINY = (
    *("--subset", "toy", "--scale", "16", "--preset", "cpu", "--iterations", "2"),
    *("--repeats", "1", "--seed", "2", "-o", "run.learner=quick"),
    *("-o", "training.epochs=3", "-o", "training.steps_per_epoch=5"),
    *("-o", "training.images_per_batch=2"),
    *("-o", "sampling.passes=2", "-o", "sampling.min_confidence=0"),
)


@pytest.fixture
def reproduce(tmp_path, monkeypatch, capsys):
    """Runs the command in an empty folder; exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MRCNN_AL_WEIGHTS", str(tmp_path / "weights"))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["mrcnn-al", "reproduce", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return ended.value.code or 0, output.out, output.err

    return call


def test_the_list(reproduce):
    code, text, _ = reproduce("--list")
    assert code == 0
    names = [line.split()[0] for line in text.splitlines() if line]
    assert names == ["experiment", *EXPERIMENTS, "passes", "Image-steps:"]
    (line,) = (line for line in text.splitlines() if line.startswith("fig5.13"))
    for words in ("dsb", "10 + 10 to 150 of 480", "15 × 10", "72 k"):
        assert words in line
    assert "of 3 repeats;" in text


def test_the_list_of_a_smaller_set(reproduce):
    code, text, _ = reproduce("--list", "--scale", "0.5", "--repeats", "1")
    assert code == 0
    assert "20 + 20 to 240 of 240" in text
    assert "of 1 repeat;" in text


def test_the_list_as_markdown(reproduce):
    code, text, _ = reproduce("--list", "--markdown")
    assert code == 0
    assert text.startswith("| experiment |")
    assert text.count("\n") == 2 + len(EXPERIMENTS) + 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Name an experiment"),
        (("fig5.1", "--list"), "leave the name out"),
        (("fig5.31",), "no experiment 'fig5.31'"),
        (("fig5.1",), "subset dsb needs data"),
        (("fig5.1", "--data", "absent.zip"), "absent.zip"),
        (("fig5.1", "--scale", "999"), "scale 999 is out of range"),
        (("fig5.1", "-o", "training.epoch=3"), "no field 'epoch'"),
        (("fig5.1", "-o", "epochs=3"), "section.field=value"),
        (("fig5.1", "-o", "strategy.name=mask"), "what fig5.1 compares"),
        (("fig5.1", "--repeats", "0"), "repeats"),
        (("fig5.1", "--subset", "toy", "--workers", "0"), "workers is 0"),
        (("fig5.1", "--start-weights", "my.h5"), "starts from scratch"),
        (("fig5.10", "--preset", "cpu"), "--start-weights FILE"),
        (("fig5.10", "--start-weights", "my.h5"), "my.h5 do not exist"),
        (("fig5.7", "--subset", "dsb"), "about several classes; dsb has one"),
        (("fig5.1", "--images", "5"), "--images is for the experiment passes"),
        (("fig5.1", "--run", "runs/a"), "--run is for the experiment passes"),
        (("passes", "--workers", "2"), "--workers is not for the experiment passes"),
        (("passes", "--preset", "cpu"), "subset coco5 needs data"),
        (("passes", "--run", "absent"), "There is no run in absent"),
        (("passes", "--weights", "absent.h5"), "absent.h5 does not exist"),
        (("passes", "--run", "a", "--weights", "b"), "either --run FOLDER or --weights FILE"),
        (("passes", "--run", "a", "--iterations", "3"), "a model that is trained here"),
    ],
)
def test_what_is_refused(reproduce, tmp_path, arguments, words):
    code, _, errors = reproduce(*arguments)
    assert code == 2
    assert words in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").glob("[!.]*"))


def test_weights_that_are_not_at_hand(reproduce, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    code, _, errors = reproduce("fig5.10", "--subset", "toy")
    assert code == 2
    assert str(tmp_path / "weights" / "mask_rcnn_coco.h5") in errors
    assert "put it there" in errors
    assert not (tmp_path / "runs").exists()


def test_a_subset_that_the_data_are_too_few_for(reproduce, tmp_path, shared):
    data = shared / "data" / "coco"
    code, _, errors = reproduce("fig5.4", "--data", data, "--preset", "cpu", "--scale", "0.01")
    assert code == 2
    assert "images of each class from train2017" in errors
    assert "Not even the smallest" in errors
    assert not list(tmp_path.glob("runs/[!.]*"))


def test_a_folder_with_other_files(reproduce, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    for experiment in (("fig5.1", "--subset", "toy"), ("passes", "--subset", "toy")):
        code, _, errors = reproduce(*experiment, "--preset", "cpu", "--out", "mine")
        assert code == 2
        assert "mine holds other files. Choose another --out" in errors


def test_a_figure(tmp_path, capsys):
    out, cache = tmp_path / "figure", tmp_path / "cache"
    options = ("--out", out, "--cache", cache, *TINY)
    call("reproduce", "fig5.13", *options)
    text = capsys.readouterr().out
    assert "random, mask; 2 iterations of 3 epochs, 3 labelled images at the start" in text
    assert "91.3 %" in text
    plan = yaml.safe_load((out / "comparison.yaml").read_text())
    assert [arm["name"] for arm in plan["arms"]] == ["random", "mask"]
    for name in ("random", "mask"):
        curve = (out / "repeat_01" / name / "curve.csv").read_text().splitlines()
        assert [line.split(",")[1] for line in curve[1:]] == ["3", "7"]
    assert (out / "fig5.13.png").read_bytes().startswith(b"\x89PNG")
    page = (out / "fig5.13.html").read_text()
    assert "Beside the thesis" in page
    # The thesis's 150 of 480 images are 5 of 16, between our two iterations.
    assert "150 (31.2%)" in page
    assert "7 (43.8%)" in page

    # Nothing is left to be done, and the same is said again.
    weights = out / "repeat_01" / "mask" / "iteration_002" / "weights.h5"
    before = weights.stat().st_mtime_ns
    call("reproduce", "5.13", *options)
    assert weights.stat().st_mtime_ns == before
    assert capsys.readouterr().out.endswith(text[text.index("line ") :])


def test_the_passes_are_of_a_mask_rcnn(reproduce, tmp_path):
    config = Config.for_subset("cpu", "toy", run={"learner": "unet"})
    store = RunStore.create(tmp_path / "run", config.to_yaml())
    store.iteration(1).weights_path.parent.mkdir()
    store.iteration(1).weights_path.touch()
    code, _, errors = reproduce("passes", "--run", "run")
    assert code == 2
    assert "trained a unet, which is no mask_rcnn" in errors
