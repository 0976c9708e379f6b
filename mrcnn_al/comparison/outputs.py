"""The files that say what a comparison has found."""

import os
from pathlib import Path

from mrcnn_al import files
from mrcnn_al.comparison.analysis import Analysis, analyse
from mrcnn_al.comparison.page import page_of
from mrcnn_al.comparison.results import read_results
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.comparison.summary import summary_of
from mrcnn_al.report.comparison_page import write_comparison_page


def write_outputs(folder: str | os.PathLike) -> tuple[Path, Analysis]:
    """Writes summary.json and report.html of a comparison, one in progress included.

    Returns:
        The path of the page, and what is on it.

    Raises:
        UserError: there is no comparison in `folder`, or a file in it is broken.
    """
    store = ComparisonStore(folder)
    results = read_results(folder)
    analysis = analyse(results)
    files.write_json(store.summary_path, summary_of(results.plan, analysis))
    write_comparison_page(store.report_path, page_of(store, results, analysis))
    return store.report_path, analysis
