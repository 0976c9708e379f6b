"""Your own images with a COCO annotation file: what is in them, and active learning on them.

python samples/own_dataset.py photos/ --out runs/photos

`photos/` holds annotations/instances_train2017.json and train2017/, or annotations.json and
images/, or an export of Roboflow or CVAT; `mrcnn_al/datasets/coco_layout.py` lists them all.
"""

from pathlib import Path

import click

from mrcnn_al.config import Config
from mrcnn_al.datasets.own_data import OWN, open_own_data
from mrcnn_al.errors import UserError


@click.command()
@click.argument("data")
@click.option("--out", default="runs/own", show_default=True)
@click.option("--preset", default="cpu", show_default=True)
@click.option("--learner", default="mask_rcnn", show_default=True)
@click.option("--weights", default="imagenet", show_default=True)
@click.option("--iterations", default=5, show_default=True)
@click.option("--labelled", type=int, help="Images labelled at the start.")
def main(out, preset, **run):
    """Label as many images in each iteration as at the start, those that teach the most."""
    subset = open_own_data(run["data"], seed=0, labelled=run["labelled"])
    click.echo(subset.summary())

    from mrcnn_al.evaluation.learning_curve import read_curve
    from mrcnn_al.loop import ActiveLearning
    from mrcnn_al.oracle import HiddenTruthOracle
    from mrcnn_al.report.html import write_report
    from mrcnn_al.report.terminal import draw_learning_curves
    from mrcnn_al.report.thumbnails import choose_thumbnails, draw_thumbnails
    from mrcnn_al.run_store import RunStore
    from mrcnn_al.strategies.factory import strategy_from_config

    strategy = {"name": "semi", "batch": len(subset.labelled)}
    config = Config.for_subset(preset, OWN, run=run, strategy=strategy)
    config = config.fitted_to(subset.dataset.class_names)

    store = RunStore.create(out, config.to_yaml())
    draw_thumbnails(Path(out) / "page.png", subset.dataset, choose_thumbnails(subset.dataset, 12))
    with store.lock():
        oracle = HiddenTruthOracle(subset.dataset)
        chooser = strategy_from_config(config.strategy)
        ActiveLearning(config, subset, chooser, oracle, store).run()
        report = write_report(out)
    click.echo(draw_learning_curves({"semi": read_curve(store.curve_path)}))
    click.echo(f"report: {report}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        click.echo(f"own_dataset.py: {error}", err=True)
        raise SystemExit(2) from error
