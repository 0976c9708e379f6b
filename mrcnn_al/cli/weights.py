"""`mrcnn-al weights`: what a weights file is, and the same weights in another layout."""

from pathlib import Path

import click

from mrcnn_al.cli.settings import assignment_option, overrides, preset_option
from mrcnn_al.config import Config
from mrcnn_al.errors import UserError

_TARGETS = ("matterport", "keras-old", "keras-applications")
# Of a list of layers that do not fit, in the table.
_SHOWN = 8


@click.group()
def weights():
    """Look at weights files and convert them."""


@weights.command()
@click.argument("file", type=click.Path())
@preset_option(default="cpu", show_default=True, help="The model to compare with.")
@assignment_option
@click.option("--exclude-heads", is_flag=True, help="Leave out what depends on the classes.")
@click.option("--exclude", multiple=True, metavar="NAME", help="Leave out this layer.")
def inspect(file, preset, assignments, exclude_heads, exclude):
    """Show what FILE is, and what of it a model would load.

    \b
    mrcnn-al weights inspect weights.h5
    mrcnn-al weights inspect mask_rcnn_coco.h5 --preset matterport --set model.num_classes=81

    The exit code is 1 where the file does not fit the model.
    """
    from mrcnn_al.weights.description import describe
    from mrcnn_al.weights.layout import backbone_layout, model_layout
    from mrcnn_al.weights.matching import match
    from mrcnn_al.weights.weights_file import open_weights

    config = Config.preset(preset, **overrides({}, assignments)).model
    excluded = (*exclude, *(("heads",) if exclude_heads else ()))
    with open_weights(file) as opened:
        description = describe(opened)
        # Of a file with a backbone alone, the backbone is what is loaded.
        names = backbone_layout(config.backbone, config.normalization)
        only = names.__contains__ if opened.backbone_only else None
        report = match(model_layout(config), opened.layers, str(file), excluded, only)
    title = f"{file}, {Path(file).stat().st_size:,} bytes"
    _print_table(title, _description_rows(description))
    part = "the backbone of a model" if opened.backbone_only else "a model"
    _print_table(
        f"in {part} of the preset {preset}: {config.backbone}, {config.num_classes} classes, "
        f"pyramid of {config.top_down_pyramid_size} channels",
        _report_rows(report),
    )
    click.get_current_context().exit(0 if report.complete else 1)


@weights.command()
@click.argument("source", type=click.Path())
@click.argument("target", type=click.Path())
@click.option("--to", "layout", type=click.Choice(_TARGETS), required=True, help="Layout to write.")
@click.option("--force", is_flag=True, help="Replace TARGET if it exists.")
def convert(source, target, layout, force):
    """Write the backbone in SOURCE as TARGET, an h5 file of another layout.

    \b
    matterport          this package's names, for a backbone of any kind
    keras-old           those of Keras's old ImageNet files, the same for a ResNet
    keras-applications  those of keras.applications, for a ResNet
    """
    from mrcnn_al.weights.convert import convert as write

    if Path(target).exists() and not force:
        raise UserError(f"{target} exists already; --force replaces it.")
    count = write(source, target, layout)
    click.echo(f"{target}: {count} layers written, {Path(target).stat().st_size:,} bytes")


def _description_rows(description):
    yield "kind", description.layout
    yield "backbone", description.backbone
    yield "expects", description.channel_order
    if description.num_classes is not None:
        yield "classes", f"{description.num_classes}, background included"
    if description.pyramid_size is not None:
        yield "pyramid", f"{description.pyramid_size} channels"
    yield "besides the backbone", ", ".join(description.heads) or "nothing"
    yield "layers", f"{description.layers:,} with {description.weights:,} weights"
    yield "parameters", f"{description.parameters:,}"
    if description.ignored:
        yield "not used", ", ".join(description.ignored)


def _report_rows(report):
    yield "fits", "yes" if report.complete else "no, nothing would be loaded"
    yield "matching", f"{len(report.loaded)} layers"
    different = [
        f"{name}: {theirs} in the file, {ours} in the model"
        for name, theirs, ours in report.mismatched
    ]
    for label, found in (
        ("excluded", report.excluded),
        ("missing", report.missing),
        ("unexpected", report.unexpected),
        ("mismatched", different),
    ):
        shown = found[:_SHOWN]
        if len(found) > _SHOWN:
            shown.append(f"and {len(found) - _SHOWN} more")
        yield label, "\n".join([str(len(found)), *shown])


def _print_table(title, rows):
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    click.echo(title)
    table = Table(show_header=False)
    for name, value in rows:
        table.add_row(name, Text(value))
    Console().print(table)
