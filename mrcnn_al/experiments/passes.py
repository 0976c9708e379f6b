"""How many stochastic passes a ranking needs (thesis, chapter 3).

Images are ranked by their mask uncertainty from T passes, for several T, and from 100. What
counts is how many of the most uncertain images both rankings have in common.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mrcnn_al.config import SamplingConfig
from mrcnn_al.errors import UserError
from mrcnn_al.experiments.passes_ranking import (
    Overlap,
    PassesResult,
    overlap_of_detected,
    ranking_overlap,
)
from mrcnn_al.experiments.passes_scores import (
    Scores,
    read_scores,
    score_prefixes,
    write_scores,
)
from mrcnn_al.files import read_json, write_json
from mrcnn_al.mask_rcnn.inference import Inference
from mrcnn_al.progress import progress
from mrcnn_al.uncertainty.pool_scorer import PoolScorer, text_key
from mrcnn_al.uncertainty.score_row import ScoreRow

# Memory grows with the passes that are made at once.
_PASSES_AT_ONCE = 25
_IMAGES_A_WRITE = 20
_SETTINGS = "passes.json"


def study_passes(
    inference: Inference,
    load_image: Callable[[str], np.ndarray],
    image_ids: Sequence[str],
    folder: str | os.PathLike,
    *,
    passes: Sequence[int],
    reference: int,
    top: int,
    seed: int = 0,
    min_confidence: float = 0.7,
    about: Mapping[str, Any] | None = None,
) -> PassesResult:
    """Ranks images by the mask uncertainty from T passes and from the reference's, and compares.

    The T passes are drawn with a seed of their own for each T, so no ranking shares a pass with
    another. What has been scored is kept in `folder` and not scored again.

    Args:
        inference: of the trained model.
        load_image: image id to uint8 RGB [H, W, 3].
        image_ids: the images to rank.
        folder: for the scores.
        passes: the T.
        reference: a larger number of passes.
        top: how many images count as the most uncertain.
        seed: of the dropout masks.
        min_confidence: detections below it do not count.
        about: what else must be the same where the folder is gone on with, such as the weights.

    Raises:
        UserError: a number is out of range, or the folder holds scores of another study.
    """
    counts = tuple(sorted(set(passes)))
    _check_numbers(counts, reference, top, len(image_ids))
    folder, ordered = Path(folder), tuple(sorted(image_ids))
    _check_settings(
        folder / _SETTINGS,
        {
            "images": hashlib.sha256("\n".join(ordered).encode()).hexdigest(),
            "passes": list(counts),
            "reference": reference,
            "seed": seed,
            "min_confidence": float(min_confidence),
            **(about or {}),
        },
    )

    def scored(count: int, prefixes: Sequence[int]) -> Scores:
        path = folder / f"scores_{count:03d}.csv"
        scorer = _Passes(inference, load_image, min_confidence, f"{seed}/passes/{count}")
        return _score(path, ordered, count, prefixes, scorer)

    single = {count: scored(count, (count,)) for count in counts}
    many = scored(reference, (*counts, reference))

    def rows(scores: Scores, count: int) -> list[ScoreRow]:
        return [scores[image_id][count] for image_id in ordered]

    best = rows(many, reference)
    overlaps = []
    for count in counts:
        own = rows(single[count], count)
        overlaps.append(
            Overlap(
                count,
                ranking_overlap(own, best, top),
                ranking_overlap(rows(many, count), best, top),
                overlap_of_detected(own, best, top),
                sum(row.undetected for row in own),
            )
        )
    undetected = sum(row.undetected for row in best)
    return PassesResult(tuple(overlaps), reference, len(ordered), top, undetected)


class _Passes:
    """Any number of independent passes over an image, a few at once."""

    def __init__(self, inference, load_image, min_confidence, name):
        self._make = lambda count: PoolScorer(
            inference, load_image, SamplingConfig(passes=count, min_confidence=min_confidence)
        )
        self._name = name

    def of(self, image_id: str, count: int):
        blocks = -(-count // _PASSES_AT_ONCE)
        sizes = [count // blocks + (block < count % blocks) for block in range(blocks)]
        return [
            instances
            for block, size in enumerate(sizes)
            for instances in self._make(size).passes(image_id, text_key(f"{self._name}/{block}"))
        ]


def _score(path, image_ids, count, prefixes, passes: _Passes) -> Scores:
    scores = read_scores(path)
    missing = [i for i in image_ids if not set(prefixes) <= scores.get(i, {}).keys()]
    if not missing:
        return scores
    with progress(f"T = {count}", len(missing), "images") as advance:
        for number, image_id in enumerate(missing, start=1):
            scores[image_id] = score_prefixes(image_id, passes.of(image_id, count), prefixes)
            if number % _IMAGES_A_WRITE == 0 or number == len(missing):
                write_scores(path, scores)
            advance()
    return scores


def _check_numbers(counts, reference, top, images):
    if not counts or counts[0] < 1 or counts[-1] >= reference:
        raise UserError(f"Passes {counts} must be above 0 and below the {reference} compared with.")
    if not 1 <= top <= images:
        raise UserError(f"The {top} most uncertain of {images} images: give from 1 to {images}.")


def _check_settings(path: Path, wanted: dict[str, Any]) -> None:
    if not path.exists():
        write_json(path, wanted)
        return
    had = read_json(path, "settings of the study")
    if had != wanted:
        had = had if isinstance(had, dict) else {}
        different = sorted(n for n in {*had, *wanted} if had.get(n) != wanted.get(n))
        raise UserError(
            f"{path.parent} holds scores of a study with other {', '.join(different)}. Choose "
            "another --out."
        )
