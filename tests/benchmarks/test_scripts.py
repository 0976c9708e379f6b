"""Each script that asks about speed runs on small sizes and prints one JSON line."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"
SMALL = ["--size=64", "--proposals=20", "--detections=4", "--rounds=1", "--rois=8", "--threads=1"]


def run(script, *options):
    """The JSON object that a script prints."""
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), *options],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return json.loads(line)


@pytest.mark.slow
@pytest.mark.repetition
def test_sampling():
    found = run(
        *("sampling.py", "--preset=cpu", "--passes=2", "--rounds=1", "--size=64"),
        "--detections=2",
    )
    assert list(found["regimes"]) == ["2"]
    for count, regime in found["regimes"].items():
        assert regime["detections_a_pass"] == int(count)
        seconds = {n: regime[n]["seconds"] for n in ("one_inference", "sampling")}
        assert regime["sampling_to_one_inference"]["ratio"] == pytest.approx(
            seconds["sampling"] / seconds["one_inference"], rel=0.02
        )


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="counts TensorFlow's graph")
def test_phases_and_their_operations():
    phases = run("phases.py", *SMALL, "--no-training")["phases"]
    # Of the five levels of the pyramid.
    cells = sum(side * side for side in (1, 2, 4, 8, 16))
    outputs = 9 * 256 * 256 + 256 * (6 + 12)
    assert phases["rpn"]["gflop"] == pytest.approx(2 * cells * outputs / 1e9, abs=0.006)
    mask = 196 * (4 * 9 * 256 * 256 + 256 * 4 * 256 + 4 * 256 * 2)
    assert phases["mask_head"]["gflop"] == pytest.approx(2 * 4 * mask / 1e9, abs=0.006)
    assert phases["peak"]["of_peak"] <= 1
    assert "gflop" not in phases["pasting"]


@pytest.mark.slow
@pytest.mark.repetition
def test_a_machine_without_a_gpu_or_torchvision_is_measured_as_it_is():
    found = run(
        *("gpu.py", *SMALL, "--passes=2", "--images=1", "--steps=1", "--task=inference"),
        f"--backend={keras.backend.backend()}",
    )
    rates = found["sizes"]["64"]["inference"]["images_a_second"]
    assert rates["ours"] > 0
    assert ("torchvision" in rates) == (importlib.util.find_spec("torchvision") is not None)
    assert ("torchvision" in found["skipped"]) == ("torchvision" not in rates)


@pytest.mark.slow
def test_peers_or_why_there_are_none():
    if importlib.util.find_spec("torchvision") is None:
        assert "pip install" in run("peers.py", *SMALL)["skipped"]
        return
    found = run("peers.py", *SMALL, "--images=1", "--task=inference", "--precision=float32")
    sides = found["inference"]["sides"]
    assert sides["torchvision_float32"]["proposals"] == 20
    assert sides["ours_float32"]["detections"] == sides["torchvision_float32"]["detections"] == 4
    assert found["inference"]["to_torchvision_float32"]["ours_float32"]["bar"] == 0.85


def test_image_sets():
    found = run("image_sets.py", "--images=2")
    assert found["toy"]["images"] == 2
    assert found["toy"]["seconds"] > 0
