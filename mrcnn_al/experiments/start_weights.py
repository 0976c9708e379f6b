"""Whether the weights that an experiment starts from are at hand."""

from pathlib import Path

from mrcnn_al.comparison.plan import Plan
from mrcnn_al.errors import UserError
from mrcnn_al.weights.download import find_or_download
from mrcnn_al.weights.known_files import COCO_FILE, IMAGENET_FILES, weights_folder


def check_start_weights(plan: Plan) -> None:
    """Finds the files of all start weights, or downloads them, before anything is trained.

    Raises:
        UserError: one is not at hand; the message says what to put where, or what to name
            instead.
    """
    for backbone, source in sorted({(c.model.backbone, c.run.weights) for c in _configs(plan)}):
        # Those of EfficientNet-Lite0 come with a package.
        if source == "none" or (source == "imagenet" and backbone not in IMAGENET_FILES):
            continue
        if source not in ("coco", "imagenet"):
            if not Path(source).is_file():
                raise UserError(f"The start weights {source} do not exist.")
            continue
        known = COCO_FILE if source == "coco" else IMAGENET_FILES[backbone]
        try:
            find_or_download(known, weights_folder())
        except UserError as error:
            raise UserError(
                f"The experiment starts from {source} weights. {error} Other weights can take "
                "their place: --start-weights FILE."
            ) from error


def _configs(plan: Plan):
    yield from map(plan.config, plan.arms)
    if plan.full_data:
        yield plan.full_config(0, 2, 1)
