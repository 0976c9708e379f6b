"""Anchors against the reference's."""

import numpy as np
import pytest

from mrcnn_al.ops.anchors import pyramid_anchors
from mrcnn_al.ops.boxes import norm_boxes

pytestmark = pytest.mark.every_backend

STRIDES = (4, 8, 16, 32, 64)


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "parity" / "units" / "anchors.npz")


@pytest.mark.parametrize("case", list("abcde"))
def test_anchors_as_the_reference(golden, case):
    size = tuple(golden[f"{case}_image_shape"][:2])
    anchors = pyramid_anchors(
        tuple(golden[f"{case}_scales"]),
        tuple(golden[f"{case}_ratios"]),
        size,
        STRIDES,
        int(golden[f"{case}_anchor_stride"]),
    )
    assert len(anchors) == golden[f"{case}_count"]
    np.testing.assert_allclose(anchors.sum(axis=0), golden[f"{case}_colsum"], rtol=1e-9)
    if f"{case}_idx" in golden:
        rows = golden[f"{case}_idx"]
        pixels, normalised = (
            golden[f"{case}_anchors_pixels_sel"],
            golden[f"{case}_anchors_norm_sel"],
        )
    else:
        rows = np.arange(len(anchors))
        pixels, normalised = golden[f"{case}_anchors_pixels"], golden[f"{case}_anchors_norm"]
    np.testing.assert_allclose(anchors[rows], pixels, atol=1e-6)
    np.testing.assert_allclose(norm_boxes(anchors[rows], *size), normalised, atol=1e-6)


def test_anchors_go_by_level_then_row_then_column_then_ratio():
    anchors = pyramid_anchors((8, 16), (0.5, 2), (8, 12), (4, 8))
    centres = 0.5 * (anchors[:, :2] + anchors[:, 2:])
    assert len(anchors) == 2 * (2 * 3 + 1 * 2)
    np.testing.assert_allclose(centres[:4], [[0, 0], [0, 0], [0, 4], [0, 4]], atol=1e-12)
    np.testing.assert_allclose(centres[6], [4, 0], atol=1e-12)
    sizes = anchors[:, 2:] - anchors[:, :2]
    np.testing.assert_allclose(sizes[:, 1] / sizes[:, 0], np.tile([0.5, 2], 8))
    np.testing.assert_allclose(sizes.prod(axis=1), [64] * 12 + [256] * 4)


def test_each_level_needs_a_scale():
    with pytest.raises(ValueError, match="zip"):
        pyramid_anchors((8, 16), (1,), (64, 64), STRIDES)
