"""What the second stage is to learn, against the reference and by its own rules."""

import numpy as np
import pytest
from keras import ops

from mrcnn_al.mask_rcnn.targets import detection_targets
from mrcnn_al.ops.boxes import norm_boxes

OBJECTS = 100


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "parity" / "units" / "detection_targets.npz")


def run(proposals, class_ids, boxes, masks, seed=7, **changes):
    """The targets of one image; masks are [h, w, N]."""
    options = {
        "rois_per_image": 200,
        "positive_ratio": 0.33,
        "std_dev": (0.1, 0.1, 0.2, 0.2),
        "mask_size": 28,
        "mini_masks": True,
        "half_pixel": False,
        "fill_with_negatives": False,
        **changes,
    }
    padded = np.zeros((OBJECTS, *masks.shape[:2]), np.float32)
    padded[: masks.shape[2]] = masks.transpose(2, 0, 1)
    arrays = [
        np.asarray(proposals, np.float32),
        np.asarray(class_ids, np.int32),
        np.asarray(boxes, np.float32),
        padded,
        np.int32(seed),
    ]
    found = detection_targets(*(ops.convert_to_tensor(a[None]) for a in arrays), **options)
    return [ops.convert_to_numpy(f)[0] for f in found]


def rows_by_box(boxes):
    return {tuple(np.round(box, 6)): row for row, box in enumerate(boxes) if box.any()}


def assert_same_targets(found, golden, case, expected_positives):
    """Rows of positives have the recorded targets, whatever their order."""
    rois, class_ids, deltas, masks = found
    theirs = rows_by_box(golden[f"{case}_rois"])
    count = (class_ids > 0).sum()
    assert count == (golden[f"{case}_class_ids"] > 0).sum() == expected_positives
    assert (class_ids[:count] > 0).all()
    for row in range(count):
        match = theirs[tuple(np.round(rois[row], 6))]
        assert class_ids[row] == golden[f"{case}_class_ids"][match]
        np.testing.assert_allclose(deltas[row], golden[f"{case}_deltas"][match], atol=1e-5)
        np.testing.assert_array_equal(masks[row], golden[f"{case}_masks"][match])
    assert not deltas[count:].any()
    assert not masks[count:].any()


@pytest.mark.parametrize(
    ("case", "proposals", "class_ids", "positives", "rois"),
    [
        ("mini", "proposals", "gt_class_ids", 24, 69),
        ("full", "proposals", "gt_class_ids", 24, 69),
        ("crowd", "crowd_proposals", "crowd_gt_class_ids", 18, 52),
        ("nopos", "nopos_proposals", "gt_class_ids", 0, 0),
    ],
)
def test_targets_as_the_reference(golden, case, proposals, class_ids, positives, rois):
    masks = golden["gt_masks_full" if case == "full" else "gt_masks_mini"]
    found = run(
        golden[proposals],
        golden[class_ids],
        golden["gt_boxes"],
        masks,
        mini_masks=case != "full",
    )
    assert_same_targets(found, golden, case, positives)
    ours, theirs = (rows_by_box(boxes) for boxes in (found[0], golden[f"{case}_rois"]))
    assert set(ours) == set(theirs)
    assert len(ours) == rois


def test_an_image_without_objects_has_no_rois(golden):
    found = run(
        golden["proposals"], np.zeros(OBJECTS), np.zeros((OBJECTS, 4)), golden["gt_masks_mini"]
    )
    for ours, name in zip(found, ("rois", "class_ids", "deltas", "masks"), strict=True):
        assert not ours.any()
        assert not golden[f"nogt_{name}"].any()


def test_a_draw_the_reference_made_gets_the_recorded_targets(golden):
    drawn = golden["sub_rois"][golden["sub_class_ids"] > 0]
    found = run(drawn, golden["gt_class_ids"], golden["gt_boxes"], golden["gt_masks_mini"])
    assert_same_targets(found, golden, "sub", 66)


def test_more_candidates_than_room_are_drawn_from(golden):
    rois, class_ids, _, masks = run(
        golden["sub_proposals"],
        golden["gt_class_ids"],
        golden["gt_boxes"],
        golden["gt_masks_mini"],
    )
    assert (class_ids > 0).sum() == 66
    assert masks.shape == (66, 28, 28)
    assert rois.any(axis=1).all()
    proposals = rows_by_box(golden["sub_proposals"])
    ours = rows_by_box(rois)
    assert len(ours) == 200
    assert set(ours) <= set(proposals)


def test_the_draw_is_the_seeds(golden):
    drawn = {
        seed: run(
            golden["sub_proposals"],
            golden["gt_class_ids"],
            golden["gt_boxes"],
            golden["gt_masks_mini"],
            seed=seed,
        )[0]
        for seed in (1, 2)
    }
    again = run(
        golden["sub_proposals"],
        golden["gt_class_ids"],
        golden["gt_boxes"],
        golden["gt_masks_mini"],
        seed=1,
    )[0]
    np.testing.assert_array_equal(drawn[1], again)
    assert set(rows_by_box(drawn[1])) != set(rows_by_box(drawn[2]))


def disk(size):
    position = np.arange(size) + 0.5 - size / 2
    return position[:, None] ** 2 + position[None] ** 2 < (0.45 * size) ** 2


def one_object(box, mask, proposals, **changes):
    boxes, class_ids = np.zeros((OBJECTS, 4)), np.zeros(OBJECTS)
    boxes[0], class_ids[0] = norm_boxes(np.asarray(box, np.float32), 128, 128), 1
    proposals = [norm_boxes(np.asarray(p, np.float32), 128, 128) for p in proposals]
    return run(proposals, class_ids, boxes, mask[..., None], **changes)


def block_means(mask):
    return mask.reshape(28, 2, 28, 2).mean(axis=(1, 3))


@pytest.mark.parametrize("mini_masks", [True, False])
def test_half_pixel_the_roi_of_a_disk_gives_the_disk_at_half_the_size(mini_masks):
    box = [20, 40, 76, 96]
    mask = disk(56)
    if not mini_masks:
        mask = np.zeros((128, 128))
        mask[20:76, 40:96] = disk(56)
    _, class_ids, deltas, masks = one_object(
        box, mask, [box], mini_masks=mini_masks, half_pixel=True
    )
    assert class_ids[0] == 1
    np.testing.assert_allclose(deltas[0], 0, atol=1e-6)
    means = block_means(disk(56))
    clear = means != 0.5
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(masks[0][clear], means[clear] > 0.5)


@pytest.mark.parametrize("half_pixel", [True, False])
def test_a_disk_seen_turned_gives_a_turned_target(half_pixel):
    box = [20, 40, 76, 96]
    masks = [
        one_object(box, mask, [[16, 36, 80, 100]], half_pixel=half_pixel)[3][0]
        for mask in (disk(56), np.rot90(disk(56)))
    ]
    np.testing.assert_array_equal(*masks)
    np.testing.assert_array_equal(masks[0], masks[0][::-1])
    np.testing.assert_array_equal(masks[0], masks[0].T)


def test_half_pixel_a_roi_twice_the_size_holds_the_object_in_its_middle():
    _, _, _, masks = one_object(
        [40, 40, 68, 68], np.ones((56, 56)), [[35, 35, 73, 73]], half_pixel=True
    )
    centres = 35 + (np.arange(28) + 0.5) * 38 / 28
    inside = (centres > 40) & (centres < 68)
    np.testing.assert_array_equal(masks[0], inside[:, None] & inside[None])


def test_without_a_positive_there_is_nothing_to_learn_unless_negatives_fill_in():
    object_box, far = [10, 10, 40, 40], [[80, 80 + i, 100, 100 + i] for i in range(20)]
    mask = np.ones((56, 56))
    rois, _, _, _ = one_object(object_box, mask, far)
    assert not rois.any()
    rois, class_ids, _, _ = one_object(object_box, mask, far, fill_with_negatives=True)
    assert set(rows_by_box(rois)) == set(
        rows_by_box(norm_boxes(np.asarray(far, np.float32), 128, 128))
    )
    assert not class_ids.any()


def test_negatives_are_in_proportion_unless_they_fill_in():
    object_box = [10, 10, 40, 40]
    near = [[10, 10 + i, 40, 40 + i] for i in (0, 1)]
    far = [[80, 10 + i, 100, 30 + i] for i in range(60)]
    mask = np.ones((56, 56))
    for fill, expected in ((False, int(2 / 0.33)), (True, 30)):
        rois, class_ids, _, _ = one_object(
            object_box, mask, near + far, fill_with_negatives=fill, rois_per_image=30
        )
        assert (class_ids > 0).sum() == 2
        assert rois.any(axis=1).sum() == expected


def test_filling_never_draws_a_roi_twice():
    far = [[80, 10 + i, 100, 30 + i] for i in range(9)]
    rois, _, _, _ = one_object(
        [10, 10, 40, 40], np.ones((56, 56)), far, fill_with_negatives=True, rois_per_image=30
    )
    assert rois.any(axis=1).sum() == len(rows_by_box(rois)) == 9
