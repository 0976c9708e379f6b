"""Both pages in a real browser: everything is there, nothing sticks out, nothing is fetched."""

import re

import browser
import comparison
import numpy as np
import pytest
from pixels import read_pixels

from mrcnn_al.report.comparison_page import write_comparison_page
from mrcnn_al.report.html import write_report
from mrcnn_al.report.palette import LINES, rgb
from mrcnn_al.report.passes_sheet import draw_passes_sheet

pytestmark = pytest.mark.skipif(
    browser.find() is None,
    reason=f"no browser: install {browser.NAMES[0]}, such as by apt-get install chromium",
)


@pytest.fixture(params=["run", "comparison"])
def page(request, tmp_path):
    """The page of a run with its pictures, and that of a comparison."""
    if request.param == "comparison":
        return write_comparison_page(tmp_path / "comparison.html", comparison.page())
    folder = request.getfixturevalue("run_folder")
    passes = request.getfixturevalue("passes")
    photograph = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    for name in ("iteration_003_most_uncertain_" + "abcdef" * 11, "pseudo_labels_003"):
        draw_passes_sheet(folder / "figures" / f"{name}.png", photograph, passes)
    return write_report(folder)


def check_on_a_screen(page, tmp_path):
    assert (
        "Content-Security-Policy\" content=\"default-src 'none'; img-src data:" in page.read_text()
    )
    for width in (1280, 1024):
        found = browser.measure(page, tmp_path, width)
        assert found["width"] == width
        assert found["needed"] <= width, found["outside"]
        assert found["outside"] == []
        assert found["scrolled"] == 0
        assert found["requested"] == []
        assert len(found["images"]) == page.read_text().count("<img ")
        assert all(alt and pixels > 0 for alt, pixels in found["images"]), found["images"]


def check_on_paper(page, tmp_path):
    paper = browser.measure(page, tmp_path, browser.PRINTED_WIDTH, printed=True)
    assert paper["needed"] <= paper["width"], paper["outside"]
    # A figure is not cut where it fits on a page.
    assert max(paper["figures"]) < browser.PRINTED_HEIGHT

    printed = browser.print_pdf(page, tmp_path).read_bytes()
    assert printed.startswith(b"%PDF-")
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert len(sizes) >= 2
    for width, height in sizes:
        assert (float(width), float(height)) == pytest.approx((595, 842), abs=2)
    different = set(re.findall('<img src="([^"]+)"', page.read_text()))
    assert len(re.findall(rb"/Subtype ?/Image", printed)) >= len(different)


def check_looks(page, tmp_path):
    pixels = read_pixels(browser.screenshot(page, tmp_path, 1280, 1400))
    assert pixels.shape == (1400, 1280, 3)
    # A light page with dark words and the blue of the first curve.
    assert np.median(pixels) > 240
    assert (pixels.max(axis=2) < 80).sum() > 3000
    distance = np.abs(pixels.astype(int) - rgb(LINES[0])).max(axis=2)
    assert (distance < 12).sum() > 300


def test_a_page(page, tmp_path):
    check_on_a_screen(page, tmp_path)
    check_on_paper(page, tmp_path)
    check_looks(page, tmp_path)


def test_what_is_wrong_is_noticed(tmp_path):
    """The measurements above can fail."""
    path = tmp_path / "wrong.html"
    path.write_text(
        '<!doctype html><html><head><meta http-equiv="Content-Security-Policy" content="x">'
        '</head><body><img alt="" src="missing.png"><img alt="" src="http://127.0.0.1:9/far.png">'
        '<img alt="" src="data:image/png;base64,AA">'
        '<div class="scroll" style="overflow-x: auto"><p style="width: 3000px">a</p></div>'
        '<figure style="width: 2000px; height: 2000px; margin: 0">b</figure></body></html>'
    )
    found = browser.measure(path, tmp_path, 1280)
    assert found["needed"] >= 2000
    assert len(found["outside"]) == 1
    assert found["scrolled"] == 1
    assert [pixels for _, pixels in found["images"]] == [0, 0, 0]
    assert found["figures"] == [2000]
    assert found["requested"] == ["http://127.0.0.1:9/far.png", "/missing.png"]
