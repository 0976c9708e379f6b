"""`mrcnn-al evaluate`: COCO mAP of trained weights."""

from dataclasses import replace

import click

from mrcnn_al.cli.backend import import_backend
from mrcnn_al.cli.settings import data_options, scale_option, with_options
from mrcnn_al.cli.trained import find_trained, model_options
from mrcnn_al.errors import UserError


@click.command()
@with_options(model_options)
@click.option("--subset", help="Image set.  [default: that of the run]")
@scale_option
@with_options(data_options)
@click.option("--seed", type=int, help="Of the split.  [default: that of the run]")
@click.option(
    "--split", type=click.Choice(("test", "validation", "train")), default="test", show_default=True
)
@click.option("--out", type=click.Path(), help="Write the metrics as JSON, too.")
def evaluate(subset, scale, data, cache, skip_broken, seed, split, out, **model):
    """Measure a trained model on a split of an image set.

    \b
    mrcnn-al evaluate --run runs/first
    mrcnn-al evaluate --weights weights.h5 --subset dsb --data stage1_train.zip
    mrcnn-al evaluate --weights weights.h5 --data photos/ --class-names cat,dog
    """
    from mrcnn_al.datasets.own_data import OWN
    from mrcnn_al.datasets.subsets import open_subset
    from mrcnn_al.run_store import cache_beside

    trained = find_trained(**model)
    run = trained.config.run
    if subset is None and data and model["weights"]:
        subset = OWN
    given = {
        "subset": subset,
        "scale": scale,
        "data": data,
        "seed": seed,
        "skip_broken": skip_broken,
    }
    if subset not in (None, run.subset):
        run = replace(run, data=None, labelled=None, scale=None)
    if cache is None and model["run_folder"]:
        cache = cache_beside(model["run_folder"])
    run = replace(run, **{name: value for name, value in given.items() if value is not None})
    opened = open_subset(
        run.subset, run.data, cache, run.seed, run.skip_broken, run.labelled, run.scale
    )
    dataset, image_ids = opened.dataset, getattr(opened, split)
    if len(dataset.class_names) != len(trained.class_names):
        raise UserError(
            f"The model knows the classes {', '.join(trained.class_names)}; "
            f"{run.subset} has {', '.join(dataset.class_names)}."
        )
    import_backend(trained.config)
    loaded = trained.load()

    from mrcnn_al.evaluation.coco_map import as_text
    from mrcnn_al.files import write_json

    metrics = trained.measure(loaded, dataset, image_ids)
    click.echo(f"{trained.weights} on {len(image_ids)} {split} images of {run.subset}")
    for name in ("AP", "AP50", "AP75", "APs", "APm", "APl", "mIoU", "Dice"):
        if name in metrics:
            click.echo(f"{name:>6}  {as_text(metrics[name]):>5}")
    for name, values in metrics["per_class"].items():
        click.echo(f"{name:>16}  AP {as_text(values['AP'])}  AP50 {as_text(values['AP50'])}")
    if out:
        write_json(out, metrics)
