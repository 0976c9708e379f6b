"""One self-contained HTML page: what is on it, and how it is written."""

import base64
import io
import os
import re
import urllib.parse
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mrcnn_al.files import write_text

_TEMPLATE = "page.html.j2"
_LARGEST_PNG = 200_000


@dataclass(frozen=True)
class Picture:
    """A picture inside the page.

    Attributes:
        caption: below it; may be blank where there is a description.
        source: data URI.
        description: read out where the picture cannot be seen; the caption where blank.
    """

    caption: str
    source: str
    description: str = ""


@dataclass(frozen=True)
class Table:
    """Cells of text; the first column names the rows.

    Attributes:
        heading: above it; may be blank.
        columns: the heads of the columns.
        rows: of as many cells each.
        note: below it; may be blank.
    """

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __post_init__(self):
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"Table {self.heading!r}: the row {row} has {len(row)} cells, "
                    f"there are {len(self.columns)} columns."
                )


@dataclass(frozen=True)
class Group:
    """Pictures that belong together inside a section, under a heading of their own.

    Attributes:
        heading: above them.
        pictures: each as wide as the page.
    """

    heading: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Section:
    """A part of the page with an entry in its table of contents; blank fields are left out.

    Attributes:
        heading: above it.
        introduction: one paragraph.
        pictures: one as wide as the page, several in two columns.
        tables: below them.
        groups: below these.
        links: text and relative path of other pages.
        verbatim: text in fixed width.
    """

    heading: str
    introduction: str = ""
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    groups: tuple[Group, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    verbatim: str = ""


@dataclass(frozen=True)
class Page:
    """A page of a report.

    Attributes:
        title: its name.
        summary: a paragraph below; may be blank.
        facts: name and value of what was set.
        tiles: name and value of what came out.
        sections: from top to bottom.
    """

    title: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    tiles: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def write_page(path: str | os.PathLike, page: Page) -> None:
    """Writes one HTML file that loads nothing, atomically.

    Raises:
        ValueError: a link does not lead to a relative path.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"link": _link}
    template = resources.files("mrcnn_al.report").joinpath(_TEMPLATE).read_text(encoding="utf-8")
    anchors = _anchors(page.sections)
    write_text(path, environment.from_string(template).render(page=page, anchors=anchors))


def embedded(path: str | os.PathLike, caption: str, description: str = "") -> Picture:
    """The picture of a PNG file; a large one, which is a photograph, becomes a JPEG."""
    content, kind = Path(path).read_bytes(), "png"
    if len(content) > _LARGEST_PNG:
        from PIL import Image

        smaller = io.BytesIO()
        with Image.open(path) as picture:
            # Without chroma subsampling, which would blur coloured outlines.
            picture.convert("RGB").save(smaller, "JPEG", quality=88, subsampling=0)
        content, kind = smaller.getvalue(), "jpeg"
    encoded = base64.b64encode(content).decode()
    return Picture(caption, f"data:image/{kind};base64,{encoded}", description)


def _anchors(sections: tuple[Section, ...]) -> list[str]:
    """What the table of contents leads to; the number keeps equal headings apart."""
    words = [re.sub(r"[^a-z0-9]+", "-", section.heading.lower()) for section in sections]
    return [f"{number}-{word.strip('-')}" for number, word in enumerate(words, start=1)]


def _link(path: str) -> str:
    if urllib.parse.urlsplit(path).scheme or path.startswith("/"):
        raise ValueError(f"The link {path!r} must be a relative path.")
    return urllib.parse.quote(path)
