"""Box functions against the reference's values."""

import numpy as np
import pytest
from keras import ops

from mrcnn_al.ops import boxes as box_ops

pytestmark = pytest.mark.every_backend


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "parity" / "units" / "boxes.npz")


def tensor(array):
    return ops.convert_to_tensor(np.asarray(array, np.float32))


def numpy(value):
    return ops.convert_to_numpy(value)


def test_norm_boxes_as_the_reference(golden):
    boxes = box_ops.norm_boxes(golden["boxes1_int"].astype(np.float32), *golden["norm_shape"])
    np.testing.assert_allclose(boxes, golden["norm_boxes"], atol=1e-6)
    np.testing.assert_allclose(boxes, golden["norm_boxes_graph"], atol=1e-6)


def test_denorm_boxes_rounds_to_the_reference(golden):
    boxes = box_ops.denorm_boxes(golden["boxes1"].astype(np.float32), *golden["norm_shape"])
    np.testing.assert_array_equal(np.around(boxes).astype(np.int32), golden["denorm_boxes"])


def test_denorm_undoes_norm(golden):
    pixels = golden["boxes1_int"].astype(np.float32)
    there = box_ops.norm_boxes(pixels, 480, 640)
    np.testing.assert_allclose(box_ops.denorm_boxes(there, 480, 640), pixels, atol=1e-3)


def test_apply_box_deltas_as_the_reference(golden):
    boxes = box_ops.apply_box_deltas(tensor(golden["boxes1"]), tensor(golden["deltas"]))
    np.testing.assert_allclose(numpy(boxes), golden["apply_box_deltas_graph"], atol=1e-6)
    np.testing.assert_allclose(numpy(boxes), golden["apply_box_deltas"], atol=1e-6)


def test_clip_boxes_as_the_reference(golden):
    boxes = box_ops.clip_boxes(tensor(golden["boxes1"]), tensor(golden["window"]))
    np.testing.assert_array_equal(numpy(boxes), golden["clip_boxes_graph"])


def test_box_refinement_as_the_reference(golden):
    deltas = box_ops.box_refinement(tensor(golden["boxes1_int"]), tensor(golden["boxes2_int"]))
    np.testing.assert_allclose(numpy(deltas), golden["box_refinement"], rtol=1e-6, atol=1e-6)


def test_box_refinement_is_what_apply_box_deltas_needs(golden):
    boxes, targets = tensor(golden["boxes1_int"]), tensor(golden["boxes2_int"])
    moved = box_ops.apply_box_deltas(boxes, box_ops.box_refinement(boxes, targets))
    np.testing.assert_allclose(numpy(moved), golden["boxes2_int"], atol=1e-3)


def test_overlaps_as_the_reference(golden):
    overlaps = box_ops.overlaps(tensor(golden["boxes1"]), tensor(golden["boxes2"][:15]))
    np.testing.assert_allclose(numpy(overlaps), golden["overlaps_graph_15"], atol=1e-6)
    np.testing.assert_allclose(numpy(overlaps), golden["overlaps_15"], atol=1e-6)


def test_overlaps_of_boxes_without_area_are_zero_where_the_reference_has_nan(golden):
    boxes = tensor(golden["overlaps_degenerate_in"])
    expected = np.nan_to_num(golden["overlaps_degenerate_graph"])
    assert np.isnan(golden["overlaps_degenerate_graph"]).any()
    np.testing.assert_array_equal(numpy(box_ops.overlaps(boxes, boxes)), expected)


def test_area_of_a_box_turned_over_is_zero():
    areas = box_ops.areas(tensor([[0, 0, 2, 3], [2, 0, 1, 3], [2, 3, 0, 0]]))
    np.testing.assert_array_equal(numpy(areas), [6, 0, 0])
