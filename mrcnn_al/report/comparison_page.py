"""The page of a comparison: charts of mean curves, tables, and links to the single runs."""

import os
from dataclasses import dataclass
from pathlib import Path

from mrcnn_al.report.chart import Band, Chart, Reference, ReportedPoint, describe_chart, draw_chart
from mrcnn_al.report.page import Page, Section, Table, embedded, write_page

__all__ = [
    "Band",
    "Chart",
    "ComparisonPage",
    "Reference",
    "ReportedPoint",
    "Table",
    "draw_chart",
    "write_comparison_page",
]


@dataclass(frozen=True)
class ComparisonPage:
    """What a comparison has to show.

    Attributes:
        title: above everything.
        summary: what came out, in a few sentences.
        charts: each a section.
        tables: each a section, after the charts.
        links: text and relative path of the single runs' reports.
    """

    title: str
    summary: str
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    links: tuple[tuple[str, str], ...] = ()


def write_comparison_page(path: str | os.PathLike, page: ComparisonPage) -> Path:
    """Writes one self-contained HTML file; its charts are also left in figures/ beside it.

    Args:
        path: of the HTML file.
        page: what is on it.

    Returns:
        The path.

    Raises:
        ValueError: a link does not lead to a relative path.
    """
    path = Path(path)
    sections = []
    for number, chart in enumerate(page.charts, start=1):
        picture = path.parent / "figures" / f"{path.stem}_chart_{number:02d}.png"
        draw_chart(picture, chart)
        shown = embedded(picture, chart.caption, describe_chart(chart))
        sections.append(Section(chart.heading, pictures=(shown,)))
    sections += [Section(table.heading, tables=(table,)) for table in page.tables]
    if page.links:
        sections.append(Section("Single runs", links=page.links))
    write_page(path, Page(page.title, page.summary, (), (), tuple(sections)))
    return path
