"""Every backend gives the recorded results: pixel maps, samples, features and training steps."""

import keras
import numpy as np
import pytest
import unet_agreement
from deviations import within

pytestmark = pytest.mark.every_backend


@pytest.fixture(scope="module")
def recorded():
    with np.load(unet_agreement.RECORDED) as data:
        return dict(data)


@pytest.fixture(scope="module")
def found():
    return unet_agreement.maps(unet_agreement.make_model())


def test_there_is_something_to_compare(recorded):
    """Pixels differ in every class, and passes differ."""
    plain, one = recorded["plain_probabilities"], recorded["pass_0_probabilities"]
    assert plain.std(axis=(0, 1)).min() > 0.03
    assert np.abs(plain - one).mean() > 0.01
    assert np.abs(one - recorded["pass_1_probabilities"]).mean() > 0.01


@pytest.mark.parametrize("name", ["plain", "pass_0", "pass_1"])
@pytest.mark.parametrize("kind", ["probabilities", "contours"])
def test_maps(found, recorded, name, kind):
    key = f"{name}_{kind}"
    # Group norm takes variances in different ways, which shows where much of the input is padding.
    within(f"backends: U-Net {kind}", found[key], recorded[key], 3e-3)


def test_features(found, recorded):
    within("backends: U-Net features", found["features"], recorded["features"], 1e-3)


def test_training_steps(recorded):
    results = unet_agreement.training(unet_agreement.make_model())
    for name in ("losses", "weight_norms"):
        ratio = results[name] / recorded[name]
        within(f"backends: U-Net {name}, relative", ratio, np.ones_like(ratio), 1e-3)


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="this is TensorFlow")
def test_tensorflow_is_not_needed():
    import sys

    assert "tensorflow" not in sys.modules
