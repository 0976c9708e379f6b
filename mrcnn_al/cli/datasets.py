"""`mrcnn-al datasets`: what is in an image set."""

from pathlib import Path

import click

from mrcnn_al.cli.settings import scale_option
from mrcnn_al.errors import UserError

_MOST_PROBLEMS = 20


@click.group()
def datasets():
    """Look at an image set before anything is trained on it."""


@datasets.command()
@click.argument("path", required=False, type=click.Path())
@click.option(
    "--subset", help="A known image set: dsb, coco2 to coco5, or toy.  [default: a COCO folder]"
)
@scale_option
@click.option("--seed", type=int, default=0, show_default=True, help="Of the splits of --subset.")
@click.option("--out", type=click.Path(), default="page.png", show_default=True, help="The page.")
@click.option("--count", type=click.IntRange(1, 400), default=12, show_default=True)
@click.option("--cache", type=click.Path(), help="Folder for parsed labels and made images.")
def stats(path, subset, scale, seed, out, count, cache):
    """Count classes, instances and sizes; draw a page of annotated thumbnails.

    PATH is a COCO folder, one COCO annotation file, or where the files of --subset are. What is
    broken is left out and listed. Of a subset the images of its splits are shown, or all with
    its classes where they are too few.

    \b
    mrcnn-al datasets stats photos/
    mrcnn-al datasets stats photos/annotations/instances_val2017.json --out val.png --count 24
    mrcnn-al datasets stats stage1_train.zip --subset dsb
    mrcnn-al datasets stats coco/ --subset coco4 --scale 0.1
    """
    from mrcnn_al.datasets.own_data import OWN
    from mrcnn_al.datasets.statistics import count_dataset
    from mrcnn_al.datasets.subsets import open_dataset
    from mrcnn_al.report.thumbnails import choose_thumbnails, draw_thumbnails

    if Path(out).is_dir():
        raise UserError(f"--out {out} is a folder; name a PNG file.")
    if path is None and subset in (None, OWN):
        raise UserError("Name a COCO folder, an annotation file, or a --subset.")
    named = subset not in (None, OWN)
    if scale is not None and not named:
        raise UserError("--scale goes with a --subset that has a name.")
    dataset = open_dataset(subset, path, cache, skip_broken=True, scale=scale)
    if named:
        dataset = _used(subset, dataset, seed, scale)
    statistics = count_dataset(dataset)
    _show(dataset, statistics)
    usable = _readable(dataset, choose_thumbnails(dataset, count))
    if not usable:
        raise UserError("There is no image that could be drawn; the problems are listed above.")
    name = Path(path).resolve().name if path else subset
    draw_thumbnails(out, dataset, usable, f"{name}: {statistics.images} images")
    click.echo(f"page: {out}")


def _used(name, dataset, seed, scale):
    """The images of the subset's splits, of which it shows how many have which class."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mrcnn_al.datasets.allotment import TooFewImages
    from mrcnn_al.datasets.class_view import ClassView
    from mrcnn_al.datasets.subsets import split_dataset

    try:
        subset = split_dataset(name, dataset, seed, skip_broken=True, scale=scale)
    except TooFewImages as error:
        click.echo(str(error))
        return dataset
    splits = ("train", "labelled", "validation", "test")
    views = [ClassView(dataset, dataset.class_names, getattr(subset, split)) for split in splits]
    table = Table("images with", *splits)
    table.add_row("any class", *(f"{len(view.image_ids):,}" for view in views))
    shown = [view.presence().sum(axis=0) for view in views]
    for class_name, *numbers in zip(dataset.class_names, *shown, strict=True):
        table.add_row(Text(class_name), *(f"{number:,}" for number in numbers))
    Console(highlight=False, soft_wrap=False, markup=False).print(table)
    used = (*subset.train, *subset.validation, *subset.test)
    return ClassView(dataset, dataset.class_names, used)


def _readable(dataset, image_ids):
    """Those of the images that can be decoded; the others are reported."""
    usable = []
    for image_id in image_ids:
        try:
            dataset.load_image(image_id)
        except UserError as error:
            click.echo(f"left out of the page: {error}", err=True)
        else:
            usable.append(image_id)
    return usable


def _show(dataset, statistics):
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False, markup=False)
    if dataset.source:
        click.echo(dataset.source)
    console.print(_classes(statistics))
    console.print(_sizes(statistics))
    console.print(_areas(statistics))
    click.echo(
        f"{statistics.images} images, {statistics.unannotated} of them without annotations; "
        f"{statistics.instances} instances, {statistics.crowds} crowds."
    )
    if statistics.invisible:
        click.echo(f"{statistics.invisible} annotations cover no pixel and are not counted.")
    click.echo(f"problems: {len(statistics.problems) or 'none'}")
    for problem in statistics.problems[:_MOST_PROBLEMS]:
        click.echo(f"  {problem}")
    if len(statistics.problems) > _MOST_PROBLEMS:
        click.echo(f"  and {len(statistics.problems) - _MOST_PROBLEMS} more")


def _classes(statistics):
    from rich.table import Table
    from rich.text import Text

    table = Table("class", "name")
    for name in ("images", "instances", "crowds", "share"):
        table.add_column(name, justify="right")
    for number, entry in enumerate(statistics.classes, start=1):
        share = entry.instances / max(1, statistics.instances)
        numbers = (f"{value:,}" for value in (entry.images, entry.instances, entry.crowds))
        table.add_row(str(number), Text(entry.name), *numbers, f"{share:.1%}")
    return table


def _sizes(statistics):
    from rich.table import Table

    table = Table("")
    for name in ("min", "median", "max"):
        table.add_column(name, justify="right")
    for name, spread in (
        ("image height", statistics.heights),
        ("image width", statistics.widths),
        ("instances an image", statistics.per_image),
    ):
        table.add_row(name, *(f"{value:,g}" for value in spread))
    return table


def _areas(statistics):
    from rich.table import Table

    table = Table("")
    for name in ("small", "medium", "large"):
        table.add_column(name, justify="right")
    table.add_row("instance area, pixels", "below 32²", "below 96²", "96² and more")
    numbers = (statistics.small, statistics.medium, statistics.large)
    table.add_row("instances", *(f"{value:,}" for value in numbers))
    return table
