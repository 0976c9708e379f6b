import numpy as np
import pytest

from mrcnn_al.evaluation.image_ap import (
    box_recall,
    image_ap,
    image_ap_range,
    mask_overlaps,
    match,
)
from mrcnn_al.instances import Instances


@pytest.fixture(scope="module")
def golden(shared):
    with np.load(shared / "parity" / "units" / "compute_ap.npz") as data:
        return dict(data)


@pytest.fixture(scope="module")
def truth(golden):
    return Instances.from_dense(golden["gt_masks"], golden["gt_class_ids"])


def found(golden, case):
    return Instances.from_dense(
        golden["pred_masks"], golden["pred_class_ids"], golden[f"{case}_scores"]
    )


def test_overlaps_as_the_reference(golden, truth):
    np.testing.assert_array_equal(mask_overlaps(found(golden, "a"), truth), golden["mask_overlaps"])


@pytest.mark.parametrize("case", ["a", "b"])
@pytest.mark.parametrize("percent", [50, 75])
def test_curve_as_the_reference(golden, truth, case, percent):
    result = image_ap(truth, found(golden, case), percent / 100)
    expected = {
        "mAP": result.value,
        "precisions": result.precisions,
        "recalls": result.recalls,
        "overlaps": result.matches.overlaps,
        "gt_match": result.matches.of_truth,
        "pred_match": result.matches.of_found,
    }
    for name, ours in expected.items():
        np.testing.assert_allclose(ours, golden[f"{case}_thr{percent}_{name}"], rtol=1e-12)


@pytest.mark.parametrize("case", ["a", "b"])
def test_range_as_the_reference(golden, truth, case):
    value = image_ap_range(truth, found(golden, case))
    assert value == pytest.approx(float(golden[f"{case}_ap_range"]), rel=1e-12)


def test_nothing_found_as_the_reference(golden, truth):
    result = image_ap(truth, Instances.empty(truth.height, truth.width, scored=True))
    assert result.value == golden["no_pred_mAP"]
    np.testing.assert_array_equal(result.precisions, golden["no_pred_precisions"])
    np.testing.assert_array_equal(result.recalls, golden["no_pred_recalls"])


def test_nothing_to_find_gives_nothing(golden, truth):
    empty = Instances.empty(truth.height, truth.width)
    assert image_ap(empty, found(golden, "a")).value == 0
    assert (match(empty, found(golden, "a")).of_found == -1).all()


def test_recall_as_the_reference(shared):
    with np.load(shared / "parity" / "units" / "boxes.npz") as boxes:
        recall, positive = box_recall(boxes["boxes1"], boxes["boxes2"][:15], 0.2)
        assert recall == pytest.approx(float(boxes["recall"][0]))
        np.testing.assert_array_equal(positive, boxes["recall_positive_ids"])
