"""Active learning on a part of the real COCO sample, through the command line."""

import pytest
from tiny_run import QUICK, call, read, without

from mrcnn_al.errors import UserError


def test_train_resume_and_evaluate(tmp_path, shared, capsys):
    out, data = tmp_path / "run", shared / "data" / "coco"
    # The numbers that follow from the subset are asked for.
    subset = ("--subset", "coco5", "--strategy", "semi", "--data", data, "--scale", "4")
    call("train", "--out", out, *without(QUICK, "--labelled", "--batch", "--scale"), *subset)
    text = capsys.readouterr().out
    assert "coco5: 2 classes (bicycle, motorcycle)" in text
    assert "4 images to train on, 2 for validation, 2 for the test; 2 labelled" in text
    assert "2 more in each iteration" in text
    pool = read(out / "pool.json")
    assert (len(pool["labelled"]), pool["unlabelled"], pool["iteration"]) == (4, [], 3)
    config = (out / "config.yaml").read_text()
    assert "scale: 4.0" in config
    assert "- motorcycle" in config

    with pytest.raises(UserError, match=r"has run\.scale = 4\.0, not 0\.5"):
        call("train", "--resume", "--out", out, "--scale", "0.5")

    call("evaluate", "--run", out)
    assert "2 test images of coco5" in capsys.readouterr().out
