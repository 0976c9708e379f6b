"""Learns a small COCO set by heart: what the `cpu` network reaches where nothing must be guessed.

python samples/coco.py annotations/instances_train2017.json train2017/ --out runs/coco

A training that was killed goes on where it was when the same command is given again. Afterwards
`--out` holds the weights, metrics.json, and pictures of truth and detections side by side.
"""

import json
from functools import lru_cache
from pathlib import Path

import click
import numpy as np

from mrcnn_al.config import Config
from mrcnn_al.datasets.coco import CocoDataset
from mrcnn_al.errors import UserError
from mrcnn_al.files import write_text

# Whole images at 384 x 384. What masks need to be learnt by heart: features from a level finer by
# one, twice the channels, targets that are not coarser than the head's output, and AdamW, which
# takes a fraction of the steps of SGD.
MODEL = {
    "image_resize_mode": "square",
    "image_resize_mode_inference": "square",
    "image_min_dim": 384,
    "image_max_dim": 384,
    "rpn_anchor_scales": (12, 32, 64, 128, 256),
    "pre_nms_limit": 2000,
    "post_nms_rois_training": 1000,
    "post_nms_rois_inference": 1000,
    "level4_side": 448.0,
    "mask_head_channels": 128,
    "mini_mask_shape": (56, 56),
    "max_gt_instances": 100,
    "train_rois_per_image": 64,
    "roi_positive_ratio": 0.5,
    "detection_max_instances": 100,
    "detection_nms_threshold": 0.5,
}
TRAINING = {
    "optimizer": "adamw",
    "learning_rate": 0.001,
    "warmup_steps": 100,
    "mrcnn_mask_loss_weight": 2.0,
    "flips": False,
    "rotations": False,
    "scale_jitter": (1.0, 1.0),
    "brightness_jitter": (1.0, 1.0),
}


@click.command()
@click.argument("annotations")
@click.argument("images")
@click.option("--weights", default="imagenet", show_default=True)
@click.option("--epochs", default=88, show_default=True)
@click.option("--learning-rate", default=TRAINING["learning_rate"], show_default=True)
@click.option("--precision", default="float32", show_default=True, help="Or bfloat16.")
@click.option("--pictures", default=12, show_default=True)
@click.option("--out", default="runs/coco", show_default=True)
def main(annotations, images, weights, epochs, learning_rate, precision, pictures, out):
    """Train on all images of a COCO file, then measure COCO mAP on the same ones."""
    dataset = CocoDataset(annotations, images)
    image_ids = list(dataset.image_ids)

    from mrcnn_al import MaskRCNN
    from mrcnn_al.datasets.image_file import write_image
    from mrcnn_al.evaluation.coco_map import as_text
    from mrcnn_al.evaluation.measure import measure
    from mrcnn_al.report.overlay import draw_instances
    from mrcnn_al.training.fit import Fitter
    from mrcnn_al.weights.sources import load_named_weights

    training = {**TRAINING, "epochs": epochs, "learning_rate": learning_rate}
    network = {**MODEL, "precision": precision}
    config = Config.preset("cpu", model=network, training=training).fitted_to(dataset.class_names)
    model = MaskRCNN(config.model)
    click.echo(load_named_weights(model, weights))

    @lru_cache(maxsize=512)
    def load(image_id):
        return dataset.load_image(image_id), dataset.load_instances(image_id)

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    Fitter(model, config.training).fit(image_ids, load, 0, checkpoint=folder / "checkpoint.npz")
    model.save_weights(folder / "weights.h5")

    def draw(image_id, truth, found):
        if image_id in image_ids[:pictures]:
            image, names = dataset.load_image(image_id), dataset.class_names
            sure = found.select(found.scores >= 0.5)
            pair = [draw_instances(image, instances, names) for instances in (truth, sure)]
            write_image(folder / f"{image_id}.png", np.hstack(pair))

    metrics = measure(model, dataset, image_ids, look=draw)
    write_text(folder / "metrics.json", json.dumps(metrics, indent=2))
    reached = f"AP {as_text(metrics['AP'])}, AP50 {as_text(metrics['AP50'])}"
    click.echo(f"{reached}; pictures in {folder}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        click.echo(f"coco.py: {error}", err=True)
        raise SystemExit(2) from error
