"""The model as users call it."""

import keras
import numpy as np
import pytest
from small_model import make_model as make_small

from mrcnn_al.config import ModelConfig
from mrcnn_al.datasets.toy_image import draw_image
from mrcnn_al.errors import UserError
from mrcnn_al.model import MaskRCNN

CONFIG = ModelConfig.preset(
    "cpu",
    num_classes=4,
    top_down_pyramid_size=16,
    rpn_channels=16,
    fpn_classif_fc_layers_size=16,
    mask_head_channels=8,
    image_min_dim=64,
    image_max_dim=64,
    post_nms_rois_training=50,
    post_nms_rois_inference=30,
    train_rois_per_image=20,
    max_gt_instances=20,
    detection_max_instances=10,
    detection_min_confidence=0.0,
    precision_inference=None,
)


@pytest.fixture(scope="module")
def model():
    """Around a small backbone."""
    return make_small(
        detection_min_confidence=0.0, detection_max_instances=10, precision_inference=None
    )


@pytest.fixture(scope="module")
def pairs():
    return [draw_image(np.random.default_rng(seed), 64) for seed in range(6)]


def test_a_model_is_made_again_from_its_config():
    model = MaskRCNN(CONFIG)
    again = MaskRCNN.from_config(model.get_config())
    assert again.config == model.config == CONFIG
    assert [v.shape for v in again.weights] == [v.shape for v in model.weights]


def test_a_config_with_a_wrong_field_is_refused():
    with pytest.raises(UserError, match="num_classes"):
        MaskRCNN.from_config({"num_class": 4})


def test_predict_is_detect_image_by_image(model, pairs, capsys):
    images = [image for image, _ in pairs]
    for ours, theirs in zip(model.predict(images), model.detect(images), strict=True):
        for name in ("rois", "class_ids", "scores", "masks"):
            np.testing.assert_array_equal(ours[name], theirs[name])
    assert "predicting: 6/6 images" in capsys.readouterr().err
    model.predict(images[:1], verbose=False)
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_fit_gives_a_history_and_leaves_validation_images_out(pairs):
    model = make_small()
    history = model.fit(
        pairs, validation_ids=["4", "5"], epochs=3, images_per_batch=2, learning_rate=0.01
    )
    assert history.epoch == [1, 2, 3]
    assert len(history.history["val_loss"]) == 3
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_fit_refuses_what_it_does_not_know(model, pairs):
    with pytest.raises(UserError, match="learning_rate"):
        model.fit(pairs, learning_rat=0.1)


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="writes a SavedModel")
def test_an_exported_model_detects_the_same(model, pairs, tmp_path, capfd):
    import tensorflow as tf

    model.export(tmp_path / "served")
    assert "TensorSpec" not in capfd.readouterr().out
    served = tf.saved_model.load(tmp_path / "served")
    image = pairs[0][0]
    result = served.serve(image[None].astype(np.float32))
    (expected,) = model.detect([image])
    count = int(np.count_nonzero(result["class_ids"][0]))
    assert count >= len(expected["scores"]) > 0
    np.testing.assert_allclose(
        result["scores"][0, : len(expected["scores"])], expected["scores"], atol=1e-5
    )
    rounded = result["boxes"].numpy()[0, : len(expected["rois"])]
    assert np.abs(rounded - expected["rois"]).max() <= 1
    assert result["masks"].shape == (1, 10, 28, 28)


def test_a_format_that_cannot_be_written_is_an_error_of_the_user(model, tmp_path):
    with pytest.raises(UserError, match="cannot export"):
        model.export(tmp_path / "served", format="clay tablets")
