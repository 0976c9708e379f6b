"""The report of a made-up run."""

import html.parser
import re
import shutil

import numpy as np
import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.report.html import write_report
from mrcnn_al.report.passes_sheet import draw_passes_sheet

VOID = {"meta", "img", "link", "br"}


class Outline(html.parser.HTMLParser):
    """Collects what a page holds and whether its tags close."""

    def __init__(self):
        super().__init__()
        self.open, self.headings, self.cells, self.images, self.alts = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs)["src"])
            self.alts.append(dict(attrs)["alt"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)
        if self.open and self.open[-1] == "td":
            self.cells.append(data)


def outline(path):
    result = Outline()
    result.feed(path.read_text(encoding="utf-8"))
    assert result.open == []
    return result


def test_a_run_in_progress(run_folder, passes):
    figures = run_folder / "figures"
    image = np.full((60, 90, 3), 200, np.uint8)
    draw_passes_sheet(figures / "iteration_003_most_uncertain_i9.png", image, passes)
    path = write_report(run_folder)
    assert path == run_folder / "report.html"
    page = outline(path)
    assert page.headings == [
        "dsb-mask-7",
        "Learning curve",
        "Iterations",
        "Classes after iteration 7",
        "Queried batches",
        "Mask uncertainty of the unlabelled images",
        "Losses",
        "Time",
        "Images",
        "Iteration 3",
        "Configuration",
    ]
    # A curve, a composition, seven histograms, losses, seconds and a sheet.
    assert len(page.images) == 12
    assert all(source.startswith("data:image/png;base64,") for source in page.images)
    assert page.alts[-1] == "most uncertain i9"
    assert page.cells[:4] == ["1", "40", "1,850", "3"]
    assert {"nucleus", "<b>"} <= set(page.cells)


def test_the_page_needs_nothing_else(run_folder):
    text = write_report(run_folder).read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"(?!data:)|https?://|@import", text)
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in text


def test_the_same_run_gives_the_same_page(run_folder):
    first = write_report(run_folder).read_bytes()
    assert write_report(run_folder).read_bytes() == first


@pytest.mark.parametrize(
    "missing",
    [
        *("config.yaml", "pool.json", "curve.csv", "iteration_*"),
        *("*/history.csv", "*/metrics.json", "*/scores.csv", "*/batch.json"),
    ],
)
def test_missing_files_are_left_out(run_folder, missing):
    for path in run_folder.glob(missing):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert outline(write_report(run_folder)).headings[0] == "dsb-mask-7"


def test_a_run_that_has_just_begun(tmp_path):
    path = write_report(tmp_path)
    assert "No iteration has been evaluated yet." in path.read_text()
    assert outline(path).images == []


def test_random_runs_have_no_histogram(run_folder):
    for path in run_folder.glob("*/scores.csv"):
        path.write_text(path.read_text().replace(",10,low", ",0,").replace(",10,medium", ",0,"))
        path.write_text(path.read_text().replace(",10,high", ",0,"))
    headings = outline(write_report(run_folder)).headings
    assert "Mask uncertainty of the unlabelled images" not in headings


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.yaml", "a: [1"),
        ("pool.json", "{"),
        ("curve.csv", "x\n"),
        ("iteration_001/metrics.json", "[]"),
        ("iteration_001/batch.json", "3"),
        ("iteration_001/scores.csv", "image_id,mask\na,b\n"),
        ("iteration_001/history.csv", "epoch,loss\n1,high\n"),
    ],
)
def test_a_broken_file_is_named(run_folder, name, content):
    (run_folder / name).write_text(content)
    with pytest.raises(UserError, match=re.escape(name.split("/")[-1])):
        write_report(run_folder)


def test_no_run(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        write_report(tmp_path / "nowhere")
