"""What `--weights` names."""

from pathlib import Path

from mrcnn_al.config import ModelConfig
from mrcnn_al.errors import UserError, nearest
from mrcnn_al.weights import matterport
from mrcnn_al.weights.download import find_or_download
from mrcnn_al.weights.imagenet import load_backbone, load_imagenet
from mrcnn_al.weights.known_files import COCO_FILE, weights_folder
from mrcnn_al.weights.layers import assign, layer_shapes
from mrcnn_al.weights.layout import model_layout
from mrcnn_al.weights.matching import check_complete, match
from mrcnn_al.weights.report import WeightsReport
from mrcnn_al.weights.weight import described
from mrcnn_al.weights.weights_file import open_weights

_NAMES = ("imagenet", "coco", "none")


def load_named_weights(model, source: str, exclude: tuple[str, ...] = ()) -> WeightsReport | None:
    """Loads weights into a MaskRCNN.

    Args:
        model: a MaskRCNN.
        source: `none`; `imagenet`, for the backbone; `coco`, Matterport's file; or a path. The
            first two files are looked for in the weights folder, and downloaded if they are
            not there. What a file is, is told by its layers: a whole Mask R-CNN, or a backbone,
            of which the backbone is loaded.
        exclude: layers to leave alone, see `match`.

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
        return load_imagenet(model, weights_folder(), exclude)
    if source == "coco":
        path = weights_folder() / COCO_FILE.name
        if not path.is_file():
            _check_coco_fits(model, exclude)
            path = find_or_download(COCO_FILE, weights_folder())
        return matterport.load_weights(model, path, exclude)
    if not Path(source).suffix and not Path(source).exists():
        raise UserError(
            f"There are no weights {source!r}, and no file of that name. {nearest(source, _NAMES)}"
        )
    with open_weights(source) as file:
        if file.backbone_only:
            return load_backbone(model, file, exclude)
        return assign(model, file.layers, str(source), exclude)


def _check_coco_fits(model, exclude):
    """A quarter of a gigabyte is not downloaded for a model that cannot take it."""
    stored = described(model_layout(ModelConfig.preset("matterport", num_classes=81)))
    check_complete(match(layer_shapes(model), stored, COCO_FILE.name, exclude))
