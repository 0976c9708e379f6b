"""The pictures of single images."""

import numpy as np
import pytest
from pixels import read_pixels

from mrcnn_al.instances import Instances
from mrcnn_al.report.iteration_figures import IterationFigures


@pytest.mark.parametrize(("side", "shown"), [(100, 500), (300, 300), (600, 600)])
def test_small_images_grow_and_unsure_detections_are_left_out(tmp_path, side, shown):
    masks = np.zeros((side, side, 2), bool)
    masks[side // 2 : side // 2 + 20, 10:40, 0] = True
    masks[side // 2 : side // 2 + 20, 60:90, 1] = True
    found = Instances.from_dense(masks, [1, 1], [0.9, 0.3])
    grey = np.full((side, side, 3), 90, np.uint8)
    figures = IterationFigures(tmp_path, 3)
    figures.draw_test_image("x", grey, found, 0.5, ("nucleus",))
    pixels = read_pixels(tmp_path / "iteration_003_test_x.png")
    assert pixels.shape == (shown, shown, 3)
    changed = (pixels != 90).any(axis=2)
    scale = shown // side
    y = (side // 2 + 10) * scale
    assert changed[y, 11 * scale : 39 * scale].all()
    assert not changed[y, 60 * scale :].any()
    # The label stands above the mask.
    assert changed[: side // 2 * scale].any()
