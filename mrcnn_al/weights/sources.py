"""What `--weights` names."""

import os
from pathlib import Path

from mrcnn_al.errors import UserError
from mrcnn_al.weights import matterport
from mrcnn_al.weights.imagenet import load_imagenet
from mrcnn_al.weights.report import WeightsReport

COCO_FILE = "mask_rcnn_coco.h5"


def weights_folder() -> Path:
    """Where weights files lie: `$MRCNN_AL_WEIGHTS`, or `weights` in the current folder."""
    return Path(os.environ.get("MRCNN_AL_WEIGHTS", "weights"))


def load_named_weights(model, source: str, exclude: tuple[str, ...] = ()) -> WeightsReport | None:
    """Loads weights into a MaskRCNN.

    Args:
        model: a MaskRCNN.
        source: `none`; `imagenet`, for the backbone; `coco`, Matterport's file in the weights
            folder; or a file in Matterport's layout.
        exclude: layers to leave alone, see `assign`.

    Returns:
        What was loaded; None for `none`.

    Raises:
        UserError: the weights are not at hand or do not fit.
    """
    if source == "none":
        if exclude:
            raise UserError("There is nothing to exclude from --weights none.")
        return None
    if source == "imagenet":
        return load_imagenet(model, model.config.backbone, weights_folder(), exclude)
    if source == "coco":
        path = weights_folder() / COCO_FILE
        if not path.is_file():
            raise UserError(
                f"COCO weights are read from {path}, which does not exist. "
                f"weights/README.md says where to get the file."
            )
        return matterport.load_weights(model, path, exclude)
    return matterport.load_weights(model, source, exclude)
