"""Learners of other packages: known by their entry points, and started without Keras."""

import subprocess
import sys
from importlib import metadata

import pytest
from tiny_run import QUICK, environment

from mrcnn_al.config import Config, learner_settings
from mrcnn_al.config.learner_settings import learner_names
from mrcnn_al.errors import UserError
from mrcnn_al.learners import factory

# Exit code 3 where a backend was imported.
SCRIPT = """
import sys
from mrcnn_al.cli.main import cli

cli.main(sys.argv[1:], standalone_mode=False)
sys.exit(3 * bool({"keras", "tensorflow", "jax", "torch"} & set(sys.modules)))
"""


def test_one_is_known_beside_our_own():
    assert learner_names() == ("mask_rcnn", "unet", "quick")


@pytest.mark.parametrize("name", ["unet", "quick"])
def test_a_second_one_of_a_name_is_refused(monkeypatch, name):
    found = metadata.entry_points(group=learner_settings.PLUGINS)
    other = metadata.EntryPoint(name, "elsewhere:Learner", learner_settings.PLUGINS)
    monkeypatch.setattr(metadata, "entry_points", lambda group: (*found, other))
    with pytest.raises(UserError, match=rf"Two learners are called '{name}'.* elsewhere:Learner"):
        learner_settings.learner_classes.__wrapped__()


@pytest.mark.parametrize("place", ["no_such_package:Learner", "quick_learner:NoSuchLearner"])
def test_one_that_cannot_be_imported_is_told(monkeypatch, place):
    point = metadata.EntryPoint("quick", place, learner_settings.PLUGINS)
    monkeypatch.setattr(factory, "learner_classes", lambda: {"quick": point})
    config = Config.preset("cpu", run={"learner": "quick"})
    with pytest.raises(UserError, match=f"'quick', which is {place}, cannot be imported: .*no"):
        factory.learner_class(config)


def test_without_keras_nothing_imports_it(tmp_path):
    out, cache = tmp_path / "run", tmp_path / "cache"
    options = ("--out", out, "--cache", cache, *QUICK, "--iterations", "1", "--strategy", "mask")
    command = [sys.executable, "-c", SCRIPT, "train", *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=600)
    assert done.returncode == 0, done.stderr
    assert (out / "report.html").is_file()
