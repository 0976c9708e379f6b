"""The three zones of the mask uncertainty, and batches drawn from them."""

import itertools

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.strategies.base import ZONES
from mrcnn_al.strategies.batch import Batch
from mrcnn_al.strategies.candidates import Candidates

ZONE_RULES = ("rank", "value")


def check_zone_rule(rule: str) -> None:
    """Raises UserError unless it is the name of a rule for zones."""
    if rule not in ZONE_RULES:
        raise UserError(f"Option 'zones' is {rule!r}; known: {', '.join(ZONE_RULES)}.")


def assign_zones(candidates: Candidates, among: np.ndarray, rule: str) -> np.ndarray:
    """Cuts some images into three zones of the mask uncertainty.

    Images without a detection in any pass are the most uncertain, by position.

    Args:
        candidates: of the query.
        among: positions, ascending.
        rule: `rank` for thirds of the ranking, where one image too many goes to low and a
            second one to medium; `value` for thirds of the scale from 0 to 100 of
            `normalised_uncertainties`, each without its upper end.

    Returns:
        int8 [N], an index into ZONES, -1 where not among these.
    """
    zones = np.full(len(candidates), -1, np.int8)
    if rule == "rank":
        masks = np.where(candidates.undetected, np.inf, candidates.column("mask"))[among]
        ranked = among[np.argsort(masks, kind="stable")]
        zones[ranked] = 3 * np.arange(len(ranked)) // max(len(ranked), 1)
    else:
        values = normalised_uncertainties(candidates, among)
        zones[among] = np.minimum(3 * values / 100, 2)
    return zones


def normalised_uncertainties(candidates: Candidates, among: np.ndarray) -> np.ndarray:
    """Mask uncertainties of some images on a scale from 0 to 100 (thesis, figures 3.4 and 6.3).

    The images with detections span the scale from the least to the most uncertain; all are 0
    where they do not differ. Images without any detection are at 100.
    """
    masks, undetected = candidates.column("mask")[among], candidates.undetected[among]
    detected = masks[~undetected]
    least = detected.min() if len(detected) else 0.0
    span = (detected.max() - least if len(detected) else 0.0) or 1.0
    return np.where(undetected, 100.0, 100.0 * ((masks - least) / span))


def zone_quotas(batch_size: int) -> tuple[int, int]:
    """How many images come from each zone, and how many from the whole pool at random.

    A quarter of the batch, halves rounded up, comes from each zone and the rest at random:
    10 each of 40, and 3, 3, 3 and 1 of 10. No zone gives more than a third of the batch, or
    a batch of 2 would need 3; so it is all random.
    """
    each_zone = min((batch_size + 2) // 4, batch_size // 3)
    return each_zone, batch_size - 3 * each_zone


def draw_from_zones(
    batch: Batch, among: np.ndarray, each_zone: int, rng: np.random.Generator
) -> None:
    """Draws the same number of images from each zone at random, for `zone:<zone>`.

    What a zone is short of, the others give in turns, the most uncertain first, for
    `zone:<zone>:fill`.

    Args:
        batch: that gets the images; it knows the zones.
        among: at least 3 * each_zone free positions, ascending.
        each_zone: images wanted from each zone.
        rng: the source of chance.
    """
    spare, missing = [], 3 * each_zone
    for index, name in enumerate(ZONES):
        members = among[batch.zones[among] == index]
        rng.shuffle(members)
        batch.add(members[:each_zone], f"zone:{name}")
        missing -= len(members[:each_zone])
        left_over = members[each_zone : each_zone + 3 * each_zone].tolist()
        spare.insert(0, [(position, f"zone:{name}:fill") for position in left_over])
    turns = itertools.chain.from_iterable(itertools.zip_longest(*spare))
    fills = list(itertools.islice(filter(None, turns), missing))
    batch.add([position for position, _ in fills], [reason for _, reason in fills])
