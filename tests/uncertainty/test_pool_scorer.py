"""A small real model looks at images."""

import keras
import numpy as np
import pytest

from mrcnn_al.config import ModelConfig, SamplingConfig
from mrcnn_al.model import MaskRCNN
from mrcnn_al.uncertainty.pool_scorer import PoolScorer, text_key
from mrcnn_al.uncertainty.score import score_image

IMAGES = {
    name: np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for seed, name in enumerate(("one", "two", "three"))
}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    settings = {"image_min_dim": 64, "image_max_dim": 64, "post_nms_rois_inference": 20}
    return MaskRCNN(ModelConfig.preset("cpu", num_classes=3, detection_max_instances=8, **settings))


@pytest.fixture(scope="module")
def scorer(model):
    return PoolScorer(model.inference, IMAGES.get, SamplingConfig(passes=3, min_confidence=0.0))


def test_rows_are_the_scores_of_the_passes(model, scorer):
    rows = scorer.rows(["one", "two"], 5, "scoring")
    assert [row.image_id for row in rows] == ["one", "two"]
    assert all(row.passes == 3 and row.detections > 0 for row in rows)
    (sampled,) = model.inference.sample(
        [IMAGES["two"]], 3, 5, keys=[text_key("two")], min_confidence=0.0
    )
    expected = score_image(
        "two", [d.instances for d in sampled], [d.probabilities for d in sampled]
    )
    assert rows[1] == expected
    assert [len(p) for p in scorer.passes("two", 5)] == [len(d.instances) for d in sampled]


def test_the_other_images_and_the_order_do_not_matter(scorer):
    first, second = (scorer.rows(ids, 5, "scoring") for ids in (["one", "three"], ["three"]))
    assert first[1] == second[0]
    assert scorer.rows(["three"], 6, "scoring") != second


def test_features_are_those_of_the_backbone(model, scorer):
    features = scorer.features(["three", "one"], "features")
    assert features.image_ids == ("three", "one")
    expected = model.inference.features([IMAGES["three"], IMAGES["one"]])
    np.testing.assert_array_equal(features.values, expected)


def test_keys_of_texts():
    keys = {text_key(f"image-{index}") for index in range(1000)}
    assert len(keys) == 1000
    assert all(0 <= key < 2**31 for key in keys)
