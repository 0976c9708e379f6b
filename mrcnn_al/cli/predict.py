"""`mrcnn-al predict`: instances in a user's own images."""

from pathlib import Path

import click

from mrcnn_al.cli.backend import import_backend
from mrcnn_al.cli.settings import with_options
from mrcnn_al.cli.trained import find_trained, model_options
from mrcnn_al.errors import UserError


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path())
@click.option("--out", required=True, type=click.Path(), help="Folder for overlays and results.")
@click.option("--min-confidence", type=float, default=0.5, show_default=True)
@with_options(model_options)
def predict(images, out, min_confidence, **model):
    """Find the instances in IMAGES (files or folders).

    Writes an overlay of each image as PNG, and results.json in COCO's results format, where
    image_id counts the images and category_id the classes from 1; file_name and category_name
    say which they are.

    \b
    mrcnn-al predict photos/ --run runs/first --out found
    """
    from mrcnn_al.datasets.image_file import read_image, write_image

    paths = _image_files(images)
    names = _overlay_names(paths)
    if not 0 <= min_confidence <= 1:
        raise UserError(f"--min-confidence is {min_confidence}; it must be from 0 to 1.")
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{out} is a file; --out must be a folder.")
    inputs = {path.resolve() for path in paths}
    if any((folder / name).resolve() in inputs for name in names):
        raise UserError(f"--out {out} would overwrite the images. Choose another folder.")
    trained = find_trained(**model)
    for path in paths:
        read_image(path)
    class_names = trained.class_names
    import_backend(trained.config)
    loaded = trained.load()

    from mrcnn_al.evaluation.coco_results import to_coco_results
    from mrcnn_al.files import write_json
    from mrcnn_al.progress import progress
    from mrcnn_al.report.overlay import draw_instances

    results, count = [], 0
    category_ids = range(1, len(class_names) + 1)
    with progress("predicting", len(paths), "images") as advance:
        for number, (path, name) in enumerate(zip(paths, names, strict=True), start=1):
            image = read_image(path)
            found = loaded.inference.detect([image], min_confidence)[0].instances
            write_image(folder / name, draw_instances(image, found, class_names))
            entries = to_coco_results({str(number): found}, category_ids)
            results.extend(
                {
                    **entry,
                    "file_name": path.name,
                    "category_name": class_names[entry["category_id"] - 1],
                }
                for entry in entries
            )
            count += len(found)
            advance()
    write_json(folder / "results.json", results)
    click.echo(f"{count} instances in {len(paths)} images: {folder}")


def _image_files(arguments):
    suffixes = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}
    paths = []
    for argument in map(Path, arguments):
        if argument.is_dir():
            inside = sorted(p for p in argument.iterdir() if p.suffix.lower() in suffixes)
            if not inside:
                raise UserError(f"The folder {argument} holds no image file.")
            paths.extend(inside)
        elif argument.is_file():
            paths.append(argument)
        else:
            raise UserError(f"The image {argument} does not exist.")
    return paths


def _overlay_names(paths):
    names = []
    for path in paths:
        name, count = f"{path.stem}.png", 1
        while name in names:
            count += 1
            name = f"{path.stem}-{count}.png"
        names.append(name)
    return names
