"""Pages, whatever is on them."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from mrcnn_al.datasets.image_file import write_image
from mrcnn_al.report.page import Page, Section, Table, embedded, write_page


def written(path, *sections):
    write_page(path, Page("a < b", "", (), (), sections))
    return path.read_text(encoding="utf-8")


def test_equal_headings_have_anchors_of_their_own(tmp_path):
    text = written(tmp_path / "p.html", Section("What & why"), Section("What & why"))
    assert re.findall('<section id="(.+)">', text) == ["1-what-why", "2-what-why"]
    assert re.findall('href="#(.+?)"', text) == ["1-what-why", "2-what-why"]
    assert "<h1>a &lt; b</h1>" in text


def test_one_section_needs_no_contents(tmp_path):
    assert "<nav" not in written(tmp_path / "p.html", Section("All"))


def test_rows_have_heads(tmp_path):
    table = Table("T", ("name", "value"), (("<a>", "1"),), "A note.")
    text = written(tmp_path / "p.html", Section("S", tables=(table,)))
    assert '<th scope="col">name</th><th scope="col">value</th>' in text
    assert '<th scope="row">&lt;a&gt;</th><td>1</td>' in text
    assert "A note." in text


@pytest.mark.parametrize(("photograph", "kind"), [(True, "jpeg"), (False, "png")])
def test_pictures_are_inside_and_photographs_are_small(tmp_path, photograph, kind):
    pixels = np.full((400, 500, 3), 90, np.uint8)
    if photograph:
        pixels = np.random.default_rng(0).integers(0, 255, pixels.shape, np.uint8)
    write_image(tmp_path / "x.png", pixels)
    picture = embedded(tmp_path / "x.png", "caption")
    head, _, encoded = picture.source.partition(";base64,")
    assert head == f"data:image/{kind}"
    content = base64.b64decode(encoded)
    assert len(content) <= (tmp_path / "x.png").stat().st_size
    with Image.open(io.BytesIO(content)) as shown:
        assert (shown.format, shown.size) == (kind.upper(), (500, 400))
