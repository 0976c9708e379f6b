"""The study of the number of passes on a trained model and on the images of its pool."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mrcnn_al.comparison.runner import run_plan
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.config import RunConfig
from mrcnn_al.datasets.base import Dataset
from mrcnn_al.datasets.splits import rank_ids
from mrcnn_al.datasets.subset_table import SUBSETS
from mrcnn_al.datasets.subsets import open_subset
from mrcnn_al.errors import UserError
from mrcnn_al.experiments.passes_ranking import PassesResult
from mrcnn_al.experiments.passes_study import (
    REPORTED,
    STUDY_IMAGES,
    STUDY_REFERENCE,
    TRAINED_ARM,
    study_top,
    training_plan,
)
from mrcnn_al.experiments.plans import Choices
from mrcnn_al.experiments.start_weights import check_start_weights
from mrcnn_al.run_store import RunStore, cache_beside

_TRAINING = "training"
_MARKER = "passes.json"


@dataclass(frozen=True)
class RankedImages:
    """The images that the study ranks.

    Attributes:
        dataset: that holds them.
        image_ids: drawn by the seed.
        available: unlabelled images that they were drawn from.
    """

    dataset: Dataset
    image_ids: tuple[str, ...]
    available: int


def check_free(folder: str | os.PathLike) -> None:
    """Raises UserError if a folder holds something else than a study of passes."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file. Choose another --out.")
    ours = any((folder / name).exists() for name in (_MARKER, _TRAINING))
    if not ours and folder.is_dir() and any(p.name != ".lock" for p in folder.iterdir()):
        raise UserError(f"{folder} holds other files. Choose another --out.")


def train_model(
    choices: Choices,
    folder: str | os.PathLike,
    cache: str | os.PathLike | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Trains the model of the study, or what is left of it; returns the folder of its run.

    See `training_plan` for what is trained. The study's folder gets it as `training`.

    Raises:
        UserError: a choice is out of range, or images or start weights are not at hand.
    """
    plan, target = training_plan(choices), Path(folder) / _TRAINING
    check_start_weights(plan)
    say("No trained model is given: one is trained first.")
    run_plan(plan, target, 1, cache_beside(folder) if cache is None else cache, say)
    return ComparisonStore(target).run_folder(0, TRAINED_ARM)


def choose_images(
    run: RunConfig,
    run_folder: str | os.PathLike | None,
    count: int | None,
    cache: str | os.PathLike,
) -> RankedImages:
    """Draws the images to rank from those that are not labelled.

    Args:
        run: of the model, or of the images where there is no run.
        run_folder: of the run, whose labelled images are left out; None: those that the subset
            has labelled at the start are.
        count: of images; None: the thesis's 1,500 in proportion to the training images, or all
            that are unlabelled where those are fewer.
        cache: of the image sets.

    Raises:
        UserError: there are not so many, or the images are not usable.
    """
    subset = open_subset(
        run.subset, run.data, cache, run.seed, run.skip_broken, run.labelled, run.scale
    )
    labelled = set(subset.labelled)
    if run_folder is not None and RunStore(run_folder).pool_path.exists():
        labelled = set(RunStore(run_folder).read_pool().labelled)
    unlabelled = [image_id for image_id in subset.train if image_id not in labelled]
    if count is None:
        row = SUBSETS.get(run.subset)
        fraction = len(subset.train) / row.counts.train if row else 1.0
        count = max(1, min(round(STUDY_IMAGES * min(fraction, 1.0)), len(unlabelled)))
    if not 1 <= count <= len(unlabelled):
        raise UserError(
            f"--images {count} is out of range: {len(unlabelled)} images are not labelled."
        )
    chosen = rank_ids(unlabelled, run.seed)[:count]
    return RankedImages(subset.dataset, tuple(chosen), len(unlabelled))


def run_study(
    model,
    weights: Path,
    images: RankedImages,
    folder: str | os.PathLike,
    seed: int,
    min_confidence: float,
) -> PassesResult:
    """Scores the images with the thesis's numbers of passes, or what is left of it.

    Args:
        model: a MaskRCNN with its weights.
        weights: the file that they are from; another one needs another folder.
        images: to rank.
        folder: of the study; it is locked meanwhile.
        seed: of the dropout masks.
        min_confidence: detections below it do not count.

    Raises:
        UserError: the folder is in use, or holds the scores of another study.
    """
    from mrcnn_al.experiments.passes import study_passes

    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with RunStore(folder).lock():
        return study_passes(
            model.inference,
            images.dataset.load_image,
            images.image_ids,
            folder,
            passes=tuple(REPORTED),
            reference=STUDY_REFERENCE,
            top=study_top(len(images.image_ids)),
            seed=seed,
            min_confidence=min_confidence,
            about={"weights": digest},
        )
