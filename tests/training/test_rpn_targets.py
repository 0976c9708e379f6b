import numpy as np
import pytest

from mrcnn_al.training.rpn_targets import anchor_overlaps, build_rpn_targets

STD_DEV = (0.1, 0.1, 0.2, 0.2)
IMAGES = range(4)


@pytest.fixture(scope="module")
def golden(shared):
    with np.load(shared / "parity" / "units" / "rpn_targets.npz") as data:
        return dict(data)


def targets(golden, image, count, rng):
    ids, boxes = golden[f"gt_class_ids_{image}"], golden[f"gt_boxes_{image}"]
    return build_rpn_targets(golden["anchors_pixels"], ids, boxes, count, STD_DEV, rng)


@pytest.mark.parametrize("image", IMAGES)
def test_without_a_draw_as_the_reference(golden, image):
    match, bbox = targets(golden, image, 8192, np.random.default_rng(0))
    expected = golden[f"nosub_bbox_{image}"]
    np.testing.assert_array_equal(match, golden[f"nosub_match_{image}"])
    np.testing.assert_allclose(bbox[: len(expected)], expected, rtol=1e-5, atol=1e-6)
    assert not bbox[np.count_nonzero(match == 1) :].any()


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize(("first_seed", "count"), [(77, 256), (177, 6)])
def test_the_reference_s_draw(golden, image, first_seed, count):
    seed = first_seed + image
    match, bbox = targets(golden, image, count, np.random.RandomState(seed))
    np.testing.assert_array_equal(match, golden[f"seed{seed}_{count}_match_{image}"])
    expected = golden[f"seed{seed}_{count}_bbox_{image}"]
    np.testing.assert_allclose(bbox, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("image", IMAGES)
def test_at_most_half_are_objects(golden, image):
    match, bbox = targets(golden, image, 6, np.random.default_rng(3))
    assert 1 <= np.count_nonzero(match == 1) <= 3
    assert np.count_nonzero(match) == 6
    assert (match.dtype, bbox.dtype, bbox.shape) == (np.int32, np.float32, (6, 4))


def test_an_image_without_objects_teaches_background(golden):
    empty = np.zeros(0, np.int32), np.zeros((0, 4), np.float32)
    rng = np.random.default_rng(0)
    match, bbox = build_rpn_targets(golden["anchors_pixels"], *empty, 32, STD_DEV, rng)
    assert np.count_nonzero(match == -1) == 32
    assert not (match == 1).any()
    assert not bbox.any()


def test_an_image_of_a_crowd_alone_teaches_background_outside_it(golden):
    anchors = golden["anchors_pixels"]
    crowd = np.array([[0.0, 0.0, 128.0, 64.0]])
    rng = np.random.default_rng(0)
    match, bbox = build_rpn_targets(anchors, np.array([-1]), crowd, 10000, STD_DEV, rng)
    outside = anchor_overlaps(anchors, crowd)[:, 0] < 0.001
    np.testing.assert_array_equal(match, np.where(outside, -1, 0))
    assert outside.any()
    assert not outside.all()
    assert not bbox.any()


def test_the_draw_is_fair(golden):
    """Every background anchor is used at some time, none always."""
    rng = np.random.default_rng(0)
    used = sum((targets(golden, 0, 1024, rng)[0] == -1).astype(int) for _ in range(40))
    background = golden["nosub_match_0"] == -1
    assert (used[~background] == 0).all()
    assert (used[background] > 0).mean() > 0.99
    assert used.max() < 40
