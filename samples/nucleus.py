"""Nuclei of the Data Science Bowl 2018, in the spirit of Matterport's nucleus sample.

python samples/nucleus.py train  --data stage1_train.zip --out nucleus.h5
python samples/nucleus.py detect --data stage1_train.zip --weights nucleus.h5 --out found/
python samples/nucleus.py active --data stage1_train.zip --out runs/nucleus
"""

from pathlib import Path

import click

from mrcnn_al.config import Config
from mrcnn_al.datasets.subsets import open_subset
from mrcnn_al.errors import UserError
from mrcnn_al.run_store import RunStore, cache_beside

DATA = click.option("--data", required=True, help="stage1_train.zip or its extracted folder.")
PRESET = click.option("--preset", default="cpu", show_default=True)


@click.group()
def cli():
    """Train on nuclei, find them, or label only the images that matter."""


@cli.command()
@DATA
@PRESET
@click.option("--weights", default="imagenet", show_default=True)
@click.option("--epochs", default=16, show_default=True)
@click.option("--out", default="nucleus.h5", show_default=True)
def train(data, preset, weights, epochs, out):
    """Train on all 480 training images; measure COCO mAP on the 133 test images."""
    subset = open_subset("dsb", data)

    from mrcnn_al import MaskRCNN
    from mrcnn_al.evaluation.measure import measure
    from mrcnn_al.training.fit import Fitter
    from mrcnn_al.weights.sources import load_named_weights

    config = Config.preset(preset, training={"epochs": epochs})
    dataset = subset.dataset
    model = MaskRCNN(config.model)
    click.echo(load_named_weights(model, weights))

    def load(image_id):
        return dataset.load_image(image_id), dataset.load_instances(image_id)

    Fitter(model, config.training).fit(subset.train, load, seed=0)
    model.save_weights(out)

    metrics = measure(model, dataset, subset.test)
    click.echo(f"AP {metrics['AP']:.3f}, AP50 {metrics['AP50']:.3f}; weights in {out}")


@cli.command()
@DATA
@PRESET
@click.option("--weights", required=True, help="What `train` wrote.")
@click.option("--out", default="found", show_default=True)
@click.option("--count", default=10, show_default=True, help="How many of the test images.")
def detect(data, preset, weights, out, count):
    """Draw what a trained model finds in test images, and where its passes disagree."""
    subset = open_subset("dsb", data)

    from mrcnn_al import MaskRCNN
    from mrcnn_al.datasets.image_file import write_image
    from mrcnn_al.report.overlay import draw_instances
    from mrcnn_al.report.passes_sheet import draw_passes_sheet

    model = MaskRCNN(Config.preset(preset).model)
    click.echo(model.load_weights(weights))
    for image_id in subset.test[:count]:
        image = subset.dataset.load_image(image_id)
        found = model.inference.detect([image], min_confidence=0.7)[0].instances
        passes = model.inference.sample([image], passes=10, seed=0, min_confidence=0.7)[0]
        write_image(Path(out) / f"{image_id}.png", draw_instances(image, found))
        draw_passes_sheet(
            Path(out) / f"{image_id}_passes.png", image, [one.instances for one in passes]
        )
        click.echo(f"{image_id}: {len(found)} nuclei")


@cli.command()
@DATA
@PRESET
@click.option("--strategy", default="semi", show_default=True)
@click.option("--iterations", default=5, show_default=True)
@click.option("--out", default="runs/nucleus", show_default=True)
def active(data, preset, strategy, iterations, out):
    """Start from 40 labelled images and label 40 more in each iteration."""
    subset = open_subset("dsb", data, cache_beside(out))

    from mrcnn_al.evaluation.learning_curve import read_curve
    from mrcnn_al.loop import ActiveLearning
    from mrcnn_al.oracle import HiddenTruthOracle
    from mrcnn_al.report.html import write_report
    from mrcnn_al.report.terminal import draw_learning_curves
    from mrcnn_al.strategies.factory import strategy_from_config

    config = Config.for_subset(
        preset, "dsb", run={"iterations": iterations, "data": data}, strategy={"name": strategy}
    )
    config = config.fitted_to(subset.dataset.class_names)
    store = RunStore.create(out, config.to_yaml())
    with store.lock():
        oracle = HiddenTruthOracle(subset.dataset)
        chooser = strategy_from_config(config.strategy)
        ActiveLearning(config, subset, chooser, oracle, store).run()
        report = write_report(out)
    click.echo(draw_learning_curves({strategy: read_curve(store.curve_path)}))
    click.echo(f"report: {report}")


if __name__ == "__main__":
    try:
        cli()
    except UserError as error:
        click.echo(f"nucleus.py: {error}", err=True)
        raise SystemExit(2) from error
