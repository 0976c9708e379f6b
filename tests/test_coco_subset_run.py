"""Active learning on a part of the real COCO sample, through the command line."""

import pytest
from tiny_run import TINY, read, run


@pytest.mark.slow
def test_train_resume_and_evaluate(tmp_path, shared):
    out, data = tmp_path / "run", shared / "data" / "coco"
    # The numbers that follow from the subset are asked for.
    tiny = TINY[4:]
    subset = ("--subset", "coco5", "--strategy", "semi", "--data", data, "--scale", "4")
    done = run("train", "--out", out, *tiny, *subset, "--layers", "heads")
    assert done.returncode == 0, done.stderr
    assert "coco5: 2 classes (bicycle, motorcycle)" in done.stdout
    assert "4 images to train on, 2 for validation, 2 for the test; 2 labelled" in done.stdout
    assert "2 more in each iteration" in done.stdout
    pool = read(out / "pool.json")
    assert (len(pool["labelled"]), pool["unlabelled"], pool["iteration"]) == (4, [], 3)
    config = (out / "config.yaml").read_text()
    assert "scale: 4.0" in config
    assert "- motorcycle" in config

    done = run("train", "--resume", "--out", out, "--scale", "0.5")
    assert done.returncode == 2
    assert "has run.scale = 4.0, not 0.5" in done.stderr

    done = run("evaluate", "--run", out, "--out", tmp_path / "metrics.json")
    assert done.returncode == 0, done.stderr
    assert "2 test images of coco5" in done.stdout
    expected = read(out / "iteration_002" / "metrics.json")
    measured = read(tmp_path / "metrics.json")
    assert measured == {name: expected[name] for name in measured}
