"""What every combination of backbone and normalisation must do."""

import keras
import numpy as np
import pytest
from keras import ops
from small_model import build

from mrcnn_al.config import ModelConfig
from mrcnn_al.mask_rcnn.network import LOSS_NAMES
from mrcnn_al.model import MaskRCNN
from mrcnn_al.weights.layers import weighted_layers

TINY = {
    "num_classes": 3,
    "pyramid_normalization": "none",
    "top_down_pyramid_size": 32,
    "rpn_channels": 32,
    "fpn_classif_fc_layers_size": 32,
    "mask_head_channels": 16,
    "rpn_anchor_scales": (8, 16, 32, 64, 128),
    "image_min_dim": 64,
    "image_max_dim": 64,
    "post_nms_rois_training": 60,
    "post_nms_rois_inference": 40,
    "train_rois_per_image": 20,
    "max_gt_instances": 3,
    "detection_max_instances": 10,
    "detection_min_confidence": 0.0,
}
CHANNELS = {
    "resnet50": (256, 512, 1024, 2048),
    "resnet101": (256, 512, 1024, 2048),
    "efficientnet_lite0": (24, 40, 112, 320),
}


def make_model(backbone="efficientnet_lite0", kind="frozen_batch", seed=0, **changes):
    keras.utils.set_random_seed(seed)
    settings = {"backbone": backbone, "normalization": kind, "head_normalization": kind}
    return MaskRCNN(ModelConfig.preset("cpu", **{**TINY, **settings, **changes}))


def image(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def training_inputs(model):
    rng = np.random.default_rng(0)
    anchors = len(model.anchors((64, 64)))
    match = np.where(np.arange(anchors) % 7 == 0, 1, -1)
    boxes = [[4, 4, 30, 30], [20, 30, 60, 50], [0, 0, 0, 0]]
    return {
        "images": rng.normal(0, 1, (2, 64, 64, 3)).astype(np.float32),
        "rpn_match": np.stack([match] * 2).astype(np.int32),
        "rpn_bbox": rng.normal(0, 0.5, (2, anchors, 4)).astype(np.float32),
        "gt_class_ids": np.array([[1, 2, 0]] * 2, np.int32),
        "gt_boxes": np.array([boxes] * 2, np.float32),
        "gt_masks": np.ones((2, 3, 28, 28), np.float32),
        "active_class_ids": np.ones((2, 3), np.float32),
        "seeds": np.array([1, 2], np.int32),
    }


@pytest.fixture(scope="class")
def model(request):
    return make_model(request.cls.backbone, request.cls.kind)


class ModelCase:
    """Properties of any model; subclasses say which one, and it is built once for each."""

    backbone = "efficientnet_lite0"
    kind = "frozen_batch"

    def test_shapes(self, model):
        images = np.random.default_rng(0).normal(0, 1, (2, 64, 64, 3)).astype(np.float32)
        stages = model.backbone(images)
        expected = [(2, 64 // s, 64 // s) for s in (4, 8, 16, 32, 64)]
        shapes = [tuple(s.shape) for s in stages]
        assert shapes == [(*e, c) for e, c in zip(expected, CHANNELS[self.backbone], strict=False)]
        pyramid = model.fpn(stages)
        assert [tuple(p.shape) for p in pyramid] == [(*e, 32) for e in expected]
        logits, deltas = model.region_proposals(pyramid)
        anchors = len(model.anchors((64, 64)))
        assert tuple(logits.shape) == (2, anchors, 2)
        assert tuple(deltas.shape) == (2, anchors, 4)
        rois = model.proposals(logits, deltas, (64, 64), inference=True)
        assert tuple(rois.shape) == (2, 40, 4)
        logits, deltas = model.classifier_head(model.pool_batch(pyramid, rois, (64, 64), 7))
        assert tuple(logits.shape) == (80, 3)
        assert tuple(deltas.shape) == (80, 3, 4)
        masks = model.mask_head(model.pool_batch(pyramid, rois[:, :5], (64, 64), 14))
        assert tuple(masks.shape) == (10, 28, 28, 3)

    def test_normalisation_layers_are_of_the_kind(self, model):
        layers = weighted_layers(model).values()
        found = {
            type(layer).__name__ for layer in layers if "Normalization" in type(layer).__name__
        }
        names = {"batch": "BatchNormalization", "group": "GroupNormalization"}
        assert found == {names.get(self.kind, "FrozenBatchNormalization")}

    def test_weights_come_back_bit_by_bit(self, model, tmp_path):
        if self.backbone == "resnet101":
            pytest.skip("its file is large; resnet50's has the same layout")
        other = make_model(self.backbone, self.kind, seed=1)
        model.save_weights(tmp_path / "weights.h5")
        report = other.load_weights(tmp_path / "weights.h5")
        assert set(report.loaded) == set(weighted_layers(model))
        for ours, theirs in zip(model.variables, other.variables, strict=True):
            np.testing.assert_array_equal(
                ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs), err_msg=ours.path
            )

    def test_losses_are_finite_and_named(self, model):
        losses = model(training_inputs(model))
        assert set(losses) == set(LOSS_NAMES)
        for name, value in losses.items():
            value = float(ops.convert_to_numpy(value))
            assert np.isfinite(value)
            # Untrained, the second stage may find no RoI to learn from.
            assert value >= 0
            assert value > 0 or name.startswith("mrcnn")


class TestLite(ModelCase):
    def test_detections_lie_in_the_image(self, model):
        (found,) = model.detect([image()])
        count = len(found["rois"])
        assert 0 < count <= 10
        assert found["masks"].shape == (64, 64, count)
        assert found["rois"].min() >= 0
        assert found["rois"].max() <= 64
        assert set(found["class_ids"]) <= {1, 2}
        assert (np.diff(found["scores"]) <= 0).all()

    def test_no_detection_is_an_empty_result(self, model):
        (found,) = model.inference.detect([image()], min_confidence=1.0)
        assert len(found.instances) == 0
        assert found.instances.dense().shape == (64, 64, 0)
        assert found.probabilities.shape == (0, 3)

    def test_images_of_different_padded_sizes(self, model):
        images = [image(), np.tile(image(1), (2, 1, 1)), np.tile(image(2), (1, 2, 1))]
        results = model.detect(images)
        assert [r["masks"].shape[:2] for r in results] == [(64, 64), (128, 64), (64, 128)]
        for one, result in zip(images, results, strict=True):
            (alone,) = model.detect([one])
            for key, value in alone.items():
                np.testing.assert_array_equal(result[key], value)


class TestLiteBatch(ModelCase):
    kind = "batch"

    def test_statistics_move_only_in_training(self, model):
        layer = weighted_layers(model)["lite1_stem_bn"]
        before = ops.convert_to_numpy(layer.moving_mean).copy()
        inputs = training_inputs(model)
        model(inputs, training=False)
        np.testing.assert_array_equal(ops.convert_to_numpy(layer.moving_mean), before)
        model(inputs, training=True)
        assert (ops.convert_to_numpy(layer.moving_mean) != before).any()


@pytest.mark.repetition
class TestLiteGroup(ModelCase):
    kind = "group"


@pytest.mark.slow
@pytest.mark.repetition
class TestResNet50(ModelCase):
    backbone = "resnet50"


@pytest.mark.slow
@pytest.mark.repetition
class TestResNet50Batch(ModelCase):
    backbone, kind = "resnet50", "batch"


@pytest.mark.slow
@pytest.mark.repetition
class TestResNet50Group(ModelCase):
    backbone, kind = "resnet50", "group"


@pytest.mark.slow
@pytest.mark.repetition
class TestResNet101(ModelCase):
    backbone = "resnet101"


@pytest.mark.slow
@pytest.mark.repetition
class TestResNet101Batch(ModelCase):
    backbone, kind = "resnet101", "batch"


@pytest.mark.slow
class TestResNet101Group(ModelCase):
    backbone, kind = "resnet101", "group"


def test_frozen_statistics_never_move():
    model = make_model()
    layer = weighted_layers(model)["lite1_stem_bn"]
    before = ops.convert_to_numpy(layer.moving_mean).copy()
    model(training_inputs(model), training=True)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.moving_mean), before)


def test_heads_can_do_without_normalisation():
    names = weighted_layers(make_model(head_normalization="none"))
    assert not [name for name in names if name.startswith("mrcnn") and "_bn" in name]
    assert "mrcnn_class_conv1" in names


def test_the_pyramid_can_be_normalised():
    layers = weighted_layers(make_model(pyramid_normalization="group"))
    added = set(layers) - set(weighted_layers(make_model()))
    assert added
    assert all(name.startswith("fpn") for name in added)


def test_a_model_is_the_seeds():
    one, same, other = make_model(seed=5), make_model(seed=5), make_model(seed=6)
    first = lambda model: ops.convert_to_numpy(model.backbone.trainable_variables[0])
    np.testing.assert_array_equal(first(one), first(same))
    assert (first(one) != first(other)).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [pytest.param("frozen_batch", marks=pytest.mark.repetition), "batch", "group"]
)
def test_training_lowers_the_loss(kind):
    """Of the RPN, whose targets stay; those of the second stage move with the proposals."""
    settings = {"normalization": kind, "head_normalization": kind}
    model = build(ModelConfig.preset("cpu", **TINY, **settings))
    optimizer = keras.optimizers.SGD(0.003, global_clipnorm=5.0)
    model.compile(optimizer=optimizer, run_eagerly=True)
    inputs = training_inputs(model)
    losses = []
    for _ in range(5):
        model.reset_metrics()
        values = model.train_on_batch(inputs, return_dict=True)
        losses.append(float(values["rpn_class_loss"] + values["rpn_bbox_loss"]))
    assert losses[-1] < losses[0]
