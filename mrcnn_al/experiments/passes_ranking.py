"""How far two rankings of the same images agree about the most uncertain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrcnn_al.strategies.candidates import Candidates
from mrcnn_al.strategies.ranking import most_uncertain
from mrcnn_al.uncertainty.score_row import ScoreRow


@dataclass(frozen=True)
class Overlap:
    """How far the ranking of T passes agrees with that of the reference.

    Attributes:
        passes: T.
        independent: share of the most uncertain images in common, where the T passes are none
            of those of the reference.
        prefix: the same where they are the first T of the reference's own.
        detected_only: as `independent`, in rankings of those images alone in which any pass of
            either detected anything; None where there are none.
        undetected: images in which none of the T passes detected anything; they rank on top.
    """

    passes: int
    independent: float
    prefix: float
    detected_only: float | None
    undetected: int


@dataclass(frozen=True)
class PassesResult:
    """What the study found.

    Attributes:
        overlaps: for each T, ascending.
        reference: passes of the ranking that they are compared with.
        images: that were ranked.
        top: how many of them are the most uncertain.
        undetected: images in which no pass of the reference detected anything.
    """

    overlaps: tuple[Overlap, ...]
    reference: int
    images: int
    top: int
    undetected: int


def ranking_overlap(rows: Sequence[ScoreRow], others: Sequence[ScoreRow], top: int) -> float:
    """The share of the `top` most uncertain images that two rankings have in common.

    Images without a detection in any pass are the most uncertain; ties are broken by image id.

    Args:
        rows: one for each image.
        others: of the same images.
        top: from 1 to the number of images.

    Raises:
        ValueError: the images are not the same, or there are not so many.
    """
    if sorted(r.image_id for r in rows) != sorted(r.image_id for r in others):
        raise ValueError("The rankings are of different images.")
    if not 1 <= top <= len(rows):
        raise ValueError(f"There is no top {top} of {len(rows)} images.")
    return len(_top(rows, top) & _top(others, top)) / top


def _top(rows, top):
    rows = sorted(rows, key=lambda row: row.image_id)
    positions = np.arange(len(rows))
    candidates = Candidates(rows, positions)
    return set(candidates.image_ids(most_uncertain(candidates, "mask", positions, top)))


def overlap_of_detected(
    rows: Sequence[ScoreRow], others: Sequence[ScoreRow], top: int
) -> float | None:
    """`ranking_overlap` of the images alone that neither ranking has as undetected."""
    pairs = zip(rows, others, strict=True)
    kept = [pair for pair in pairs if not (pair[0].undetected or pair[1].undetected)]
    if not kept:
        return None
    return ranking_overlap(*zip(*kept, strict=True), min(top, len(kept)))
