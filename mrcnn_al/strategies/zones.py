"""The ranking by mask uncertainty, its three zones, and batches drawn from them."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from mrcnn_al.strategies.base import Choice
from mrcnn_al.uncertainty.score_row import ScoreRow

ZONES = ("low", "medium", "high")
ZONE_RULES = ("rank", "value")


def rank(rows: Sequence[ScoreRow]) -> list[ScoreRow]:
    """The rows by ascending mask uncertainty, ties by image id.

    Images without a detection in any pass come last, as the most uncertain, by image id.
    """
    return sorted(rows, key=lambda row: (row.undetected, row.mask, row.image_id))


def mask_utilities(rows: Sequence[ScoreRow]) -> dict[str, float]:
    """The mask uncertainty of each image, in pixels, as a utility.

    An image without any detection has no such number but is the most uncertain. It gets one
    pixel more than the most uncertain image with detections: finite, and above all others.
    """
    top = 1.0 + max((row.mask for row in rows if not row.undetected), default=0.0)
    return {row.image_id: top if row.undetected else row.mask for row in rows}


def normalised_uncertainties(rows: Sequence[ScoreRow]) -> dict[str, float]:
    """Mask uncertainties on a scale from 0 to 100 (thesis, figures 3.4 and 6.3).

    The images with detections span the scale from the least to the most uncertain; all are 0
    where they do not differ. Images without any detection are at 100.
    """
    detected = [row.mask for row in rows if not row.undetected]
    least, most = min(detected, default=0.0), max(detected, default=0.0)
    span = (most - least) or 1.0
    return {
        row.image_id: 100.0 if row.undetected else 100.0 * ((row.mask - least) / span)
        for row in rows
    }


def assign_zones(rows: Sequence[ScoreRow], rule: str) -> dict[str, str]:
    """Cuts the pool into three zones.

    Args:
        rows: in any order.
        rule: `rank` for thirds of the ranking, where one image too many goes to low and a
            second one to medium; `value` for thirds of the scale from 0 to 100 of
            `normalised_uncertainties`, each without its upper end.

    Returns:
        Image id to `low`, `medium` or `high`, in the order of the ranking.
    """
    ranked = rank(rows)
    if rule == "rank":
        thirds = [3 * position // len(ranked) for position in range(len(ranked))]
    else:
        values = normalised_uncertainties(rows)
        thirds = [min(int(3 * values[row.image_id] / 100), 2) for row in ranked]
    return {row.image_id: ZONES[third] for row, third in zip(ranked, thirds, strict=True)}


def zone_quotas(batch_size: int) -> tuple[int, int]:
    """How many images come from each zone, and how many from the whole pool at random.

    A quarter of the batch, halves rounded up, comes from each zone and the rest at random:
    10 each of 40, and 3, 3, 3 and 1 of 10. No zone gives more than a third of the batch, or
    a batch of 2 would need 3; so it is all random.
    """
    each_zone = min((batch_size + 2) // 4, batch_size // 3)
    return each_zone, batch_size - 3 * each_zone


def draw_from_zones(
    zones: Mapping[str, str], each_zone: int, rng: np.random.Generator
) -> list[Choice]:
    """Draws the same number of images from each zone at random, for `zone:<zone>`.

    What a zone is short of, the others give in turns, the most uncertain first, for
    `zone:<zone>:fill`.

    Args:
        zones: image id to zone; holds at least 3 * each_zone images.
        each_zone: images wanted from each zone.
        rng: the source of chance.
    """
    members = {name: [] for name in ZONES}
    for image_id in sorted(zones):
        members[zones[image_id]].append(image_id)
    for name in ZONES:
        rng.shuffle(members[name])
    choices = [
        Choice(image_id, f"zone:{name}") for name in ZONES for image_id in members[name][:each_zone]
    ]
    spare = [
        [Choice(image_id, f"zone:{name}:fill") for image_id in members[name][each_zone:]]
        for name in reversed(ZONES)
    ]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*spare))
    missing = 3 * each_zone - len(choices)
    return choices + list(itertools.islice(filter(None, turns), missing))
