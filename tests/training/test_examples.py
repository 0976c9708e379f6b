import numpy as np
import pytest

from mrcnn_al.config import ModelConfig, TrainingConfig
from mrcnn_al.instances import Instances
from mrcnn_al.ops.images import plan_resize
from mrcnn_al.training.augmentation import flip, flip_vertically, turn
from mrcnn_al.training.examples import ExampleMaker

PLAIN = TrainingConfig()
AUGMENTED = TrainingConfig.preset("cpu")
SIZES = {"crop": (64, 64), "square": (128, 128), "pad64": (128, 192), "none": (128, 192)}


def model_config(mode, **changes):
    usual = {"image_min_dim": 64, "image_max_dim": 128, "num_classes": 4}
    return ModelConfig.preset("cpu", image_resize_mode=mode, **(usual | changes))


def scene(height=100, width=140, count=5, crowds=()):
    """Blocks side by side; class ids count 1, 2, 3, 1, ..."""
    masks = np.zeros((height, width, count), bool)
    for index in range(count):
        x = index * (width // max(count, 1))
        masks[5 + index : 40 + index, x : x + max(2, width // max(count, 1) - 2), index] = True
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    ids = np.arange(count) % 3 + 1
    return image, Instances.from_dense(masks, ids, crowd=np.isin(np.arange(count), crowds))


def fitting(mode):
    return scene(128, 192) if mode == "none" else scene()


def row_of(config, image, instances, training=PLAIN, seed=0):
    return ExampleMaker(config, training).make(image, instances, np.random.default_rng(seed))


def real(row):
    return row["gt_class_ids"] != 0


def check_row(row, config, size):
    anchors = sum((-(-size[0] // s)) * (-(-size[1] // s)) * 3 for s in config.backbone_strides)
    count = config.max_gt_instances
    mask_size = config.mini_mask_shape if config.use_mini_mask else size
    expected = {
        "images": ((*size, 3), np.float32),
        "rpn_match": ((anchors,), np.int32),
        "rpn_bbox": ((config.rpn_train_anchors_per_image, 4), np.float32),
        "gt_class_ids": ((count,), np.int32),
        "gt_boxes": ((count, 4), np.float32),
        "gt_masks": ((count, *mask_size), np.bool_),
        "active_class_ids": ((config.num_classes,), np.float32),
        "seeds": ((), np.int32),
    }
    assert {name: (np.shape(a), np.asarray(a).dtype) for name, a in row.items()} == expected
    boxes, padding = row["gt_boxes"][real(row)], ~real(row)
    assert (boxes[:, 2:] - boxes[:, :2] >= 1).all()
    assert (boxes >= 0).all()
    assert (boxes <= np.array([*size, *size]) + 1e-4).all()
    assert not row["gt_boxes"][padding].any()
    assert not row["gt_masks"][padding].any()
    assert np.flatnonzero(padding).tolist() == list(range(real(row).sum(), count))


@pytest.mark.parametrize("mini", [True, False], ids=["mini-masks", "whole masks"])
@pytest.mark.parametrize("mode", SIZES)
def test_shapes_and_types_of_a_row(mode, mini):
    config = model_config(mode, use_mini_mask=mini)
    for seed in range(10):
        row = row_of(config, *fitting(mode), AUGMENTED, seed)
        check_row(row, config, SIZES[mode])
        assert row["gt_masks"][real(row)].any(axis=(1, 2)).all()


@pytest.mark.parametrize("mode", ["square", "pad64", "none"])
def test_a_whole_image_keeps_every_instance(mode):
    image, instances = fitting(mode)
    row = row_of(model_config(mode), image, instances)
    assert row["gt_class_ids"][:5].tolist() == instances.class_ids.tolist()


def test_whole_masks_fill_their_boxes():
    row = row_of(model_config("pad64", use_mini_mask=False), *scene())
    for box, mask in zip(row["gt_boxes"][:5].astype(int), row["gt_masks"][:5], strict=True):
        y1, x1, y2, x2 = box
        assert mask[y1:y2, x1:x2].all()
        assert mask.sum() == (y2 - y1) * (x2 - x1)


def test_mini_masks_of_full_boxes_are_full():
    row = row_of(model_config("pad64"), *scene())
    assert row["gt_masks"][:5].all()


def test_the_image_is_padded_in_its_middle():
    """100 x 140 in 128 x 192: boxes move by the padding above and at the left."""
    image, instances = scene()
    config = model_config("pad64")
    row = row_of(config, image, instances)
    moved = instances.boxes + np.array([14, 26, 14, 26])
    np.testing.assert_array_equal(row["gt_boxes"][:5], moved)
    molded = (image.astype(np.float32) - config.mean_pixel) * config.pixel_scale
    np.testing.assert_allclose(row["images"][14:114, 26:166], molded, rtol=1e-5, atol=1e-6)
    assert np.unique(row["images"][:14]).tolist() == [np.float32(-127 / 128)]


def test_a_scaled_image_scales_its_boxes():
    image, instances = scene(32, 32, 2)
    row = row_of(model_config("square", image_min_dim=128), image, instances)
    np.testing.assert_allclose(row["gt_boxes"][:2], instances.boxes * 4)


@pytest.mark.parametrize("mode", ["crop", "pad64"])
def test_of_too_many_instances_a_random_part(mode):
    config = model_config(mode, max_gt_instances=3, image_min_dim=128)
    image, instances = scene(128, 128, 9)
    chosen = set()
    for seed in range(30):
        row = row_of(config, image, instances, PLAIN, seed)
        check_row(row, config, (128, 128))
        assert real(row).all()
        lefts = row["gt_boxes"][:, 1].tolist()
        assert lefts == sorted(lefts)
        chosen.update(lefts)
    assert len(chosen) == 9


@pytest.mark.parametrize("mini", [True, False])
@pytest.mark.parametrize("mode", SIZES)
def test_an_image_without_instances(mode, mini):
    config = model_config(mode, use_mini_mask=mini)
    size = (128, 192) if mode == "none" else (100, 140)
    row = row_of(config, *scene(*size, count=0), AUGMENTED)
    check_row(row, config, SIZES[mode])
    assert not real(row).any()
    assert not (row["rpn_match"] == 1).any()
    assert (row["rpn_match"] == -1).sum() == config.rpn_train_anchors_per_image


def test_crowds_have_negative_ids():
    row = row_of(model_config("pad64"), *scene(crowds=(1, 3)))
    assert row["gt_class_ids"][:5].tolist() == [1, -2, 3, -1, 2]


def test_no_anchor_learns_a_crowd():
    image, instances = scene(count=1, crowds=(0,))
    assert not (row_of(model_config("pad64"), image, instances)["rpn_match"] == 1).any()
    image, instances = scene(count=1)
    assert (row_of(model_config("pad64"), image, instances)["rpn_match"] == 1).any()


def test_what_is_left_of_an_instance_below_a_pixel_is_no_target():
    mask = np.zeros((256, 256, 2), bool)
    mask[100, 100, 0] = True
    mask[50:90, 50:90, 1] = True
    image, instances = np.zeros((256, 256, 3), np.uint8), Instances.from_dense(mask, [1, 2])
    row = row_of(model_config("square"), image, instances)
    assert row["gt_class_ids"][:2].tolist() == [2, 0]


def test_the_same_generator_state_gives_the_same_row():
    config = model_config("crop")
    first, again, other = (row_of(config, *scene(), AUGMENTED, seed) for seed in (1, 1, 2))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    assert (first["images"] != other["images"]).any()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (300, 1), (63, 64), (65, 257)])
@pytest.mark.parametrize("mode", ["crop", "square", "pad64"])
def test_images_of_extreme_shape(mode, height, width):
    config = model_config(mode)
    image = np.zeros((height, width, 3), np.uint8)
    instances = Instances.from_dense(np.ones((height, width, 1), bool), [1])
    for seed in range(5):
        row = row_of(config, image, instances, AUGMENTED, seed)
        check_row(row, config, row["images"].shape[:2])
        assert all(extent % 64 == 0 for extent in row["images"].shape[:2])


@pytest.mark.parametrize("change", [None, flip, flip_vertically, turn])
@pytest.mark.parametrize("size", [(33, 47), (50, 50), (128, 96), (200, 131)])
@pytest.mark.parametrize("mode", ["square", "pad64"])
def test_boxes_lie_on_their_pixels_wherever_the_padding_is(mode, size, change):
    """To a thousandth of a pixel; the coloured pixels tell it to one, as scaling blurs them."""
    height, width = size
    for y, x in ((0, 0), (0, width - 8), (height - 8, 0), (height // 2, width // 2)):
        image, mask = np.zeros((*size, 3), np.uint8), np.zeros((*size, 1), bool)
        image[y : y + 8, x : x + 8], mask[y : y + 8, x : x + 8] = 255, True
        config = model_config(mode, use_mini_mask=False)
        maker = ExampleMaker(config, PLAIN)
        view = maker.view(image, Instances.from_dense(mask, [1]), np.random.default_rng(0))
        geometry = plan_resize(*size, mode, config.image_min_dim, config.image_max_dim, 0)
        top, left, bottom, right = geometry.window
        factor = (bottom - top) / height, (right - left) / width
        exact = np.array([y, x, y + 8, x + 8]) * (*factor, *factor) + (top, left, top, left)
        np.testing.assert_allclose(view.boxes(), [exact], atol=1e-3)
        view = view if change is None else change(view)
        (box,) = view.boxes()
        bright = np.argwhere(view.image[:, :, 0] > 127)
        np.testing.assert_allclose(box[:2], bright.min(axis=0), atol=1.01)
        np.testing.assert_allclose(box[2:], bright.max(axis=0) + 1, atol=1.01)
        (whole,) = maker._masks(view.instances, view)
        assert whole.shape == view.image.shape[:2]
        filled = np.argwhere(whole)
        np.testing.assert_allclose(box[:2], filled.min(axis=0), atol=1.01)
        np.testing.assert_allclose(box[2:], filled.max(axis=0) + 1, atol=1.01)
