"""Pseudo-labels beside the truth."""

import numpy as np
import pytest
from pixels import count_pixels

from mrcnn_al.evaluation.pseudo_quality import PseudoQuality, measure_pseudo_labels
from mrcnn_al.instances import Instances
from mrcnn_al.report.palette import BLUE, GREEN, ORANGE, SKY, VERMILION
from mrcnn_al.report.pseudo_figures import draw_pseudo_quality, pooled
from mrcnn_al.report.pseudo_sheet import PseudoExample, choose_examples, draw_pseudo_sheet


def disc(y, x):
    rows, columns = np.mgrid[:60, :90]
    return (rows - y) ** 2 + (columns - x) ** 2 < 100


def example(truth, labels):
    planes = {
        name: np.stack([disc(*p) for p in ps], 2)
        for name, ps in (("truth", truth), ("labels", labels))
    }
    true = Instances.from_dense(planes["truth"], [1] * len(truth))
    found = Instances.from_dense(planes["labels"], [1] * len(labels), [0.9] * len(labels))
    image = np.full((60, 90, 3), 90, np.uint8)
    return PseudoExample("best", image, true, found, measure_pseudo_labels("a", true, found))


def test_colours_tell_what_is_right(tmp_path):
    right, missed, wrong = (20, 20), (20, 60), (45, 45)
    legend = {}
    draw_pseudo_sheet(tmp_path / "right.png", [example([right], [right])])
    for colour in (SKY, ORANGE, VERMILION):
        legend[colour] = count_pixels(tmp_path / "right.png", colour)
    draw_pseudo_sheet(tmp_path / "all.png", [example([right, missed], [right, wrong])])
    assert legend[SKY] > 3 * legend[ORANGE]
    for colour in (ORANGE, VERMILION):
        assert count_pixels(tmp_path / "all.png", colour) > legend[colour] + 100


def test_a_sheet_needs_an_image(tmp_path):
    with pytest.raises(ValueError, match="no pseudo-labels"):
        draw_pseudo_sheet(tmp_path / "s.png", [])


@pytest.mark.parametrize(
    ("count", "titles"),
    [
        (0, []),
        (1, ["best"]),
        (2, ["best", "worst"]),
        (5, ["best", "median", "worst"]),
    ],
)
def test_best_median_and_worst(count, titles):
    qualities = [PseudoQuality(f"{i}", 10, 10, i, 0.8) for i in range(1, count + 1)]
    chosen = choose_examples(qualities)
    assert list(chosen) == titles
    if count == 5:
        assert [quality.matched for quality in chosen.values()] == [5, 3, 1]


def test_pooled_counts_instances_not_images():
    qualities = [PseudoQuality("a", 10, 20, 10, 0.9), PseudoQuality("b", 90, 80, 30, 0.5)]
    precision, recall, iou = pooled(qualities)
    assert (precision, recall) == (0.4, 0.4)
    assert iou == pytest.approx((9 + 15) / 40)
    assert pooled([PseudoQuality("a", 2, 2, 0, None)]) == (0.0, 0.0, None)


def test_quality_over_iterations(tmp_path):
    images = [PseudoQuality(f"{i}", 10, 12, i, 0.5 + i / 20) for i in range(1, 10)]
    none = [PseudoQuality("x", 1, 1, 0, None)]
    draw_pseudo_quality(tmp_path / "q.png", {1: images[:4], 2: none, 4: images})
    for colour in (BLUE, GREEN, VERMILION):
        assert count_pixels(tmp_path / "q.png", colour) > 300
