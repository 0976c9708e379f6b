"""The report of a made-up run."""

import html.parser
import json
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
        self.open, self.headings, self.rows, self.images, self.alts = [], [], [], [], []
        self.links, self.anchors = [], []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs)["src"])
            self.alts.append(dict(attrs)["alt"])
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        if tag == "section":
            self.anchors.append(dict(attrs)["id"])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def outline(path):
    result = Outline()
    result.feed(path.read_text(encoding="utf-8"))
    assert result.open == []
    return result


def test_a_run_in_progress(run_folder, passes):
    figures = run_folder / "figures"
    image = np.full((60, 90, 3), 200, np.uint8)
    draw_passes_sheet(figures / "iteration_003_most_uncertain_i9.png", image, passes)
    draw_passes_sheet(figures / "pseudo_labels_003.png", image, passes)
    path = write_report(run_folder)
    assert path == run_folder / "report.html"
    page = outline(path)
    assert page.headings == [
        "dsb-mask-7",
        "Learning curve",
        "Iterations",
        "Classes after iteration 3",
        "Queried batches",
        "What the batches held",
        "Mask uncertainty of the unlabelled images",
        "Pseudo-labels",
        "Pseudo-labels against the hidden truth",
        "Pseudo-labels of iteration 3",
        "Images",
        "Images of iteration 3",
        "Losses",
        "Time",
        "All iterations",
        "Configuration",
    ]
    # A curve, five of the batches, three histograms, two of pseudo-labels, a sheet of passes,
    # losses and seconds.
    assert len(page.images) == 14
    assert all(source.startswith("data:image/png;base64,") for source in page.images)
    assert all(page.alts)
    assert any(alt.startswith("Most uncertain: image i9") for alt in page.alts)
    assert page.rows[0] == ["iteration", "labelled", "instances", "pseudo", *page.rows[0][4:]]
    assert page.rows[1][:4] == ["1", "40", "1,850", "3"]
    assert {"nucleus", "<b>"} <= {row[0] for row in page.rows}


def test_contents_lead_to_the_sections(run_report):
    page = outline(run_report)
    assert len(page.links) == 8
    assert [link.removeprefix("#") for link in page.links] == page.anchors


def test_what_the_batches_held(run_report):
    """Iteration n has labelled an instance of <b> in every n-th of 40 images."""
    page = outline(run_report)
    start = page.rows.index(
        ["iteration", "images", "instances", "nucleus", "<b>", "change of AP after it"]
    )
    assert page.rows[start + 1][:5] == ["1", "40", f"{sum(range(41)) + 40:,}", "40", "40"]
    assert page.rows[start + 2][:5] == ["2", "40", f"{sum(range(2, 42)) + 20:,}", "40", "20"]
    assert page.rows[start + 3][-1] == "–"
    curve = {row[0]: float(row[4]) for row in page.rows[1:4]}
    change = float(page.rows[start + 2][-1].replace("−", "-"))
    assert change == pytest.approx(curve["3"] - curve["2"], abs=0.0011)
    text = run_report.read_text()
    assert "that of iteration 3: 40 of its 40 images show nucleus, 14 show &lt;b&gt;." in text


def test_a_learner_that_measures_pixels_has_two_columns_more(run_folder):
    path = run_folder / "iteration_003" / "metrics.json"
    metrics = json.loads(path.read_text())
    pixels = {"background": {"IoU": 0.9, "Dice": None}, "nucleus": {"IoU": 0.5, "Dice": 0.6667}}
    path.write_text(json.dumps(metrics | {"pixels": pixels | {"<b>": {"IoU": 0, "Dice": 0}}}))
    page = outline(write_report(run_folder))
    start = page.rows.index(["class", "AP", "AP50", "IoU", "Dice"])
    assert page.rows[start + 1] == ["background", "–", "–", "0.900", "–"]
    assert page.rows[start + 2][2:] == ["–", "0.500", "0.667"]


def test_pseudo_labels_against_the_truth(run_report):
    page = outline(run_report)
    start = page.rows.index(
        ["iteration", "images", "instances", "precision", "recall", "IoU", "panoptic quality"]
    )
    # Iteration 2 has six images, each with 2 of 10 labels right and 2 of 9 objects found.
    iou = 0.6 + 0.04 * 2.5
    expected = ["2", "6", "60", "0.200", "0.222", f"{iou:.3f}", f"{iou * 4 / 19:.3f}"]
    assert page.rows[start + 1] == expected


def test_the_time_adds_up(run_report):
    page = outline(run_report)
    start = page.rows.index(["phase", "time", "share"])
    assert page.rows[start + 1] == ["train", "16 min", "62%"]
    assert page.rows[start + 5][:2] == ["together", "25 min"]


def test_the_page_needs_nothing_else(run_report):
    text = run_report.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=\"(?!data:|#)|https?://|@import|url\(", text)
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
        *("*/batch_classes.json", "*/pseudo_quality.json"),
    ],
)
def test_missing_files_are_left_out(run_folder, missing):
    # One iteration will do, and is drawn faster.
    for number in (1, 3, 4):
        shutil.rmtree(run_folder / f"iteration_{number:03d}")
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
        ("iteration_001/batch_classes.json", '{"class_names": ["a"], "instances": {"x": [1, 2]}}'),
        ("iteration_002/pseudo_quality.json", '[{"image_id": "x"}]'),
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
