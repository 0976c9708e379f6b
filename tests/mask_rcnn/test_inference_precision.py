"""Detection and sampling may compute in other numbers than training."""

import keras
import numpy as np
import pytest
import small_model
from keras import ops

from mrcnn_al.config import ModelConfig
from mrcnn_al.ops import backend

SETTINGS = {"output_std": None, "detection_min_confidence": 0.0, "detection_max_instances": 5}


def make_model(**settings):
    return small_model.make_model(**SETTINGS, **settings)


def image():
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


def scores(model):
    passes = model.inference.sample([image()], 2, seed=1)[0]
    found = [*model.inference.detect([image()]), *passes]
    return np.concatenate([detections.probabilities.ravel() for detections in found])


@pytest.fixture(scope="module")
def mixed():
    """Of a network that trains in float32."""
    return scores(make_model(precision_inference="bfloat16"))


@pytest.fixture(scope="module")
def whole():
    return scores(make_model(precision_inference=None))


def test_inference_is_that_of_a_network_in_that_precision(mixed, whole):
    half = scores(make_model(precision="bfloat16", precision_inference=None))
    np.testing.assert_array_equal(mixed, half)
    assert np.abs(mixed - whole).max() > 0


def test_training_keeps_its_precision():
    model = make_model(precision_inference="bfloat16")
    molded = np.random.default_rng(0).normal(0, 1, (1, 64, 64, 3)).astype(np.float32)
    before = ops.convert_to_numpy(model.pyramid(molded)[0])
    scores(model)
    after = model.pyramid(molded)[0]
    assert keras.backend.standardize_dtype(after.dtype) == "float32"
    np.testing.assert_array_equal(ops.convert_to_numpy(after), before)
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert model.mask_head.blocks[0].convolution.compute_dtype == "float32"


@pytest.mark.parametrize("native", [False, True])
def test_auto_is_half_where_the_processor_multiplies_it(monkeypatch, native, mixed, whole):
    monkeypatch.setattr(backend, "multiplies_bfloat16", lambda: native)
    found = scores(make_model(precision_inference="auto"))
    np.testing.assert_array_equal(found, mixed if native else whole)


def test_presets_that_mirror_the_reference_compute_alike_in_both():
    settings = {
        name: ModelConfig.preset(name).precision_inference
        for name in ("matterport", "nucleus", "thesis", "cpu")
    }
    assert settings == {"matterport": None, "nucleus": None, "thesis": "auto", "cpu": "auto"}
