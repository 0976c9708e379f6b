"""Whatever people have as images is trained on and predicted."""

import numpy as np
import pytest
from PIL import Image
from small_model import make_model

from mrcnn_al.config import TrainingConfig
from mrcnn_al.datasets.image_file import read_image
from mrcnn_al.instances import Instances
from mrcnn_al.mask_rcnn.network import LOSS_NAMES
from mrcnn_al.training.examples import ExampleMaker

SMALL = {
    "num_classes": 3,
    "top_down_pyramid_size": 16,
    "rpn_channels": 16,
    "fpn_classif_fc_layers_size": 16,
    "mask_head_channels": 8,
    "rpn_anchor_scales": (8, 16, 32, 64, 128),
    "image_min_dim": 64,
    "image_max_dim": 128,
    "post_nms_rois_training": 50,
    "post_nms_rois_inference": 30,
    "train_rois_per_image": 20,
    "max_gt_instances": 60,
    "detection_max_instances": 10,
    "detection_min_confidence": 0.0,
}
MODES = {"crop": "pad64", "square": "square", "pad64": "pad64"}


def grey(rng, height, width):
    return Image.fromarray(rng.integers(0, 256, (height, width), np.uint8))


def deep(rng, height, width):
    return Image.fromarray(rng.integers(0, 65536, (height, width), np.uint16))


def transparent(rng, height, width):
    return Image.fromarray(rng.integers(0, 256, (height, width, 4), np.uint8))


def colour(rng, height, width):
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))


def none(height, width):
    return Instances.empty(height, width)


def many(height, width):
    """400 instances of two pixels."""
    labels = np.arange(400)
    rows, columns = labels // 20 * 2 % height, labels % 20 * 3 % (width - 1)
    boxes = np.stack([rows, columns, rows + 1, columns + 2], axis=1)
    return Instances(height, width, 1 + labels % 2, boxes, (np.ones((1, 2), bool),) * 400)


def border(height, width):
    """Instances that touch each side, one of one pixel, and one that is the whole image."""
    boxes = [
        (0, 3, 9, 20),
        (height - 8, 5, height, 16),
        (10, 0, 22, 7),
        (12, width - 9, 30, width),
        (height - 1, width - 1, height, width),
        (0, 0, height, width),
    ]
    masks = tuple(np.ones((y2 - y1, x2 - x1), bool) for y1, x1, y2, x2 in boxes)
    return Instances(height, width, [1, 2, 1, 2, 1, 2], boxes, masks)


CASES = [
    (grey, 64, 64, border),
    (deep, 61, 97, border),
    (transparent, 97, 61, border),
    (colour, 40, 33, border),
    (colour, 101, 203, many),
    (colour, 64, 128, none),
    (grey, 203, 50, none),
]


@pytest.fixture(scope="module")
def models():
    """One for each way of resizing."""
    return {
        mode: make_model(**SMALL, image_resize_mode=mode, image_resize_mode_inference=MODES[mode])
        for mode in MODES
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "turn", [0, *(pytest.param(turn, marks=pytest.mark.repetition) for turn in (1, 2))]
)
def test_trains_and_predicts(models, tmp_path, turn):
    """Each case in one of the ways of resizing, in another at each turn."""
    for number, case in enumerate(CASES):
        model = models[list(MODES)[(number + turn) % 3]]
        trains_and_predicts(model, tmp_path, *case)


def trains_and_predicts(model, tmp_path, kind, height, width, instances):
    rng = np.random.default_rng(0)
    kind(rng, height, width).save(tmp_path / "image.png")
    image, truth = read_image(tmp_path / "image.png"), instances(height, width)
    maker = ExampleMaker(model.config, TrainingConfig.preset("cpu"))
    row = maker.make(image, truth, rng)
    batch = {key: np.asarray(value)[None] for key, value in row.items()}
    losses = model(batch, training=True)
    assert all(np.isfinite(float(losses[name])) for name in LOSS_NAMES)
    (found,) = model.detect([image])
    assert found["masks"].shape == (height, width, len(found["scores"]))
    boxes = found["rois"]
    assert (boxes >= 0).all()
    assert (boxes[:, 2:] <= (height, width)).all()
