"""Two virtual CPU devices train as one does; on TensorFlow and on JAX."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import pytest
from small_model import TRAINING, make_model

from mrcnn_al.errors import UserError
from mrcnn_al.training.devices import check, sharing

SCRIPT = Path(__file__).with_name("several_devices.py")
needs_a_mechanism = pytest.mark.skipif(
    keras.backend.backend() not in ("tensorflow", "jax"), reason="this backend has none"
)


def run(*trainings):
    """What each of the trainings gives."""
    folders = [str(SCRIPT.parents[1]), str(SCRIPT.parents[2])]
    path = os.pathsep.join([*folders, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(SCRIPT), json.dumps(trainings)],
        capture_output=True,
        text=True,
        timeout=3000,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend(), "PYTHONPATH": path},
    )
    # The end of it, for TensorFlow begins with many lines about the machine.
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-3000:]}"
    return [json.loads(line) for line in done.stdout.splitlines()[-len(trainings) :]]


def assert_same(one, two):
    assert len(one["history"]) == 2
    for row, other in zip(one["history"], two["history"], strict=True):
        # After two epochs the order of the sums shows in the fourth digit on some processors.
        assert other == pytest.approx(row, rel=1e-3, abs=1e-7)
    assert two["norms"] == pytest.approx(one["norms"], rel=1e-3, abs=1e-4)
    assert two["found"] == one["found"]


@needs_a_mechanism
@pytest.mark.slow
@pytest.mark.every_backend
def test_the_same_losses_as_on_one():
    """Clipped, so that the norm of the gradient of the whole batch counts."""
    fields = {"learning_rate": 0.02, "gradient_clip_norm": 0.5, "ema_momentum": 0.5}
    refused = {"devices": 2, "gradient_accumulation_steps": 2}
    on_tensorflow = keras.backend.backend() == "tensorflow"
    one, two, *others = run(fields, {**fields, "devices": 2}, *([refused] if on_tensorflow else []))
    assert_same(one, two)
    for other in others:
        assert "On several devices of TensorFlow, Keras can neither" in other["refused"]


@needs_a_mechanism
@pytest.mark.slow
@pytest.mark.repetition
def test_the_same_losses_as_on_one_with_adamw():
    fields = {"learning_rate": 0.002, "optimizer": "adamw", "ema_momentum": 0.5}
    assert_same(*run(fields, {**fields, "devices": 2}))


@needs_a_mechanism
def test_there_must_be_so_many():
    with pytest.raises(UserError, match=r"devices is 1000, but there are \d"), sharing(1000):
        pass


def test_one_is_as_ever():
    before = keras.distribution.distribution()
    with sharing(1):
        model = make_model()
    check(model, TRAINING)
    assert keras.distribution.distribution() is before


def test_a_model_of_another_number_is_refused():
    with pytest.raises(UserError, match=r"made for 1 devices, and training.devices is 2.*sharing"):
        check(make_model(), replace(TRAINING, devices=2))


def test_they_share_a_batch_equally():
    with pytest.raises(UserError, match="3 devices cannot share 2 images_per_batch"):
        replace(TRAINING, devices=3)
