"""Figures are drawn, whole, in the colours announced, and leave no state behind."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from pixels import count_pixels

from mrcnn_al.evaluation.learning_curve import CurvePoint
from mrcnn_al.report import figures
from mrcnn_al.report.palette import NEUTRAL, SERIES, ZONES, pale, reason_colour
from mrcnn_al.report.passes_sheet import draw_passes_sheet


def test_learning_curves(tmp_path):
    points = [CurvePoint(i, 40 * i, 100 * i, 0, 0.1 * i, None) for i in (1, 2, 3)]
    figures.draw_learning_curves(tmp_path / "c.png", {"random": points, "mask": points[:1]})
    assert count_pixels(tmp_path / "c.png", SERIES[0]) > 500
    assert count_pixels(tmp_path / "c.png", SERIES[1]) > 20
    assert [path.name for path in tmp_path.iterdir()] == ["c.png"]


def test_colours_of_reasons():
    reasons = ["class", "undetected", "zone:low", "zone:low:fill", "random"]
    colours = [reason_colour(reason, reasons) for reason in reasons]
    assert len(set(colours)) == len(reasons)
    assert colours[2:] == [ZONES["low"], pale(ZONES["low"]), NEUTRAL]
    assert not {*colours[:2]} & {*ZONES.values()}


def test_seconds_of_uneven_phases(tmp_path):
    figures.draw_seconds(tmp_path / "s.png", {1: {"train": 10}, 3: {"train": 9, "score": 4}})
    assert count_pixels(tmp_path / "s.png", SERIES[1]) > 500


@pytest.mark.parametrize("epochs", [1, 12])
def test_losses(tmp_path, epochs):
    history = [{"epoch": i, "loss": 2 / (i + 1), "mrcnn_mask_loss": 1.0} for i in range(epochs)]
    figures.draw_losses(tmp_path / "l.png", {1: history, 2: history})
    assert count_pixels(tmp_path / "l.png", SERIES[4]) > 100


def test_sheet_of_passes(tmp_path, passes):
    image = np.full((60, 90, 3), 180, np.uint8)
    draw_passes_sheet(tmp_path / "p.png", image, passes, title="most uncertain")
    with Image.open(tmp_path / "p.png") as picture:
        assert picture.width > picture.height
    with pytest.raises(ValueError, match="at least one pass"):
        draw_passes_sheet(tmp_path / "q.png", image, [])


def test_no_global_figure_is_made(tmp_path):
    program = (
        "import sys\n"
        "from mrcnn_al.report import comparison_page, figures, html, overlay, passes_sheet\n"
        "from mrcnn_al.report import pseudo_sheet, terminal\n"
        "assert not {'matplotlib', 'jinja2', 'PIL', 'pycocotools'} & set(sys.modules)\n"
        f"figures.draw_seconds({str(tmp_path / 's.png')!r}, {{1: {{'train': 1.0}}}})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert (tmp_path / "s.png").is_file()
