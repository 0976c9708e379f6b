"""Every backend gives the recorded results: detections, samples, losses and training steps."""

import agreement
import keras
import numpy as np
import pytest
from deviations import within

pytestmark = pytest.mark.every_backend


@pytest.fixture(scope="module")
def recorded():
    with np.load(agreement.RECORDED) as data:
        return dict(data)


@pytest.fixture(scope="module")
def model():
    return agreement.make_model()


@pytest.fixture(scope="module")
def found(model):
    return agreement.detections(model)


def test_there_is_something_to_compare(recorded):
    for index in range(2):
        assert 3 <= np.count_nonzero(recorded[f"class_ids_{index}"]) <= 30
        assert recorded[f"mask_areas_{index}"].sum() > 100


@pytest.mark.parametrize("index", [0, 1])
def test_detections(found, recorded, index):
    np.testing.assert_array_equal(found[f"class_ids_{index}"], recorded[f"class_ids_{index}"])
    within("backends: boxes, pixels", found[f"boxes_{index}"], recorded[f"boxes_{index}"], 0.05)
    within("backends: scores", found[f"scores_{index}"], recorded[f"scores_{index}"], 1e-3)
    ours, theirs = found[f"mask_areas_{index}"], recorded[f"mask_areas_{index}"]
    within("backends: mask areas, pixels", ours, theirs, 3)


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_samples(found, recorded, index, number):
    get = lambda name, data: data[f"sampled_{name}_{index}_{number}"]
    np.testing.assert_array_equal(get("class_ids", found), get("class_ids", recorded))
    # Rounded outwards to whole pixels, so a last digit may move an edge by one.
    within("backends: sampled boxes", get("boxes", found), get("boxes", recorded), 1)
    within("backends: sampled scores", get("scores", found), get("scores", recorded), 1e-3)


def test_training_steps(recorded):
    results = agreement.losses(agreement.make_model())
    for step in range(3):
        ours, theirs = results[f"losses_{step}"], recorded[f"losses_{step}"]
        name = f"backends: losses of step {step + 1}, relative"
        within(name, ours / theirs, np.ones(len(ours)), 1e-3)
    ours, theirs = results["weight_norms"], recorded["weight_norms"]
    within("backends: norms of trained weights, relative", ours / theirs, np.ones(len(ours)), 1e-3)


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="this is TensorFlow")
def test_tensorflow_is_not_needed():
    import sys

    assert "tensorflow" not in sys.modules
