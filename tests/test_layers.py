"""Imports point downwards."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "mrcnn_al"
LAYERS = (
    ("cli", "__main__"),
    ("comparison", "experiments"),
    ("loop",),
    ("workers",),
    ("model", "learners", "label_record"),
    (
        *("strategies", "oracle", "pool", "report"),
        *("run_store", "iteration_files", "score_table", "score_journal"),
    ),
    ("training", "uncertainty", "evaluation"),
    ("mask_rcnn", "unet", "weights"),
    ("ops", "datasets"),
    ("config", "instances", "files", "errors", "progress"),
)
HEIGHT = {name: -depth for depth, names in enumerate(LAYERS) for name in names}
MODULES = sorted(
    path.relative_to(PACKAGE.parent)
    for path in PACKAGE.rglob("*.py")
    if path != PACKAGE / "__init__.py"
)


def parts_imported(module, tree):
    """The parts of the package, `ops` or `pool`, that a module imports anywhere inside it."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = module.parts[: len(module.parts) - node.level] if node.level else ()
            origin = ".".join([*above, *filter(None, [node.module])])
            names = [f"{origin}.{alias.name}" for alias in node.names]
        for name in names:
            package, _, inside = name.partition(".")
            if package == "mrcnn_al" and inside:
                yield inside.partition(".")[0]


def violations(module, source):
    own = module.with_suffix("").parts[1]
    return [
        f"{module} imports mrcnn_al.{part}"
        for part in parts_imported(module, ast.parse(source))
        if HEIGHT.get(part, 1) > HEIGHT[own]
    ]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_point_downwards(module):
    assert module.with_suffix("").parts[1] in HEIGHT, "add it to LAYERS"
    assert violations(module, (PACKAGE.parent / module).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import mrcnn_al.loop",
        "from mrcnn_al.loop import run",
        "from mrcnn_al import loop",
        "from mrcnn_al import unheard_of",
        "from ..loop import run",
        "from .. import loop",
        "def f():\n    from mrcnn_al.loop import run",
    ],
)
def test_imports_upwards_are_noticed(source):
    assert violations(Path("mrcnn_al/ops/boxes.py"), source)


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np",
        "from mrcnn_al import files",
        "from mrcnn_al.datasets.base import Dataset",
        "from . import anchors",
        "from ..errors import UserError",
    ],
)
def test_imports_sideways_and_downwards_are_fine(source):
    assert not violations(Path("mrcnn_al/ops/boxes.py"), source)
