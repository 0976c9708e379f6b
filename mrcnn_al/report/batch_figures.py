"""What each batch is composed of: by reason, by zone, by class (thesis, figures 3.5 and 6.1)."""

import os
from collections.abc import Mapping, Sequence

from mrcnn_al.report.palette import NEUTRAL, UNDETECTED, ZONES, class_colours, reason_colour
from mrcnn_al.report.stacks import draw_stacks
from mrcnn_al.uncertainty.score_row import ScoreRow

_NONE = "none detected"


def draw_batch_composition(path: str | os.PathLike, reasons: Mapping[int, Sequence[str]]) -> None:
    """Why the images of each batch were queried (thesis, figure 3.5).

    Args:
        path: of the PNG.
        reasons: iteration to one reason for each queried image.
    """
    named = sorted({reason for batch in reasons.values() for reason in batch}, key=_reason_order)
    heights = {
        _reason_label(reason): [list(batch).count(reason) for batch in reasons.values()]
        for reason in named
    }
    colours = [reason_colour(reason, named) for reason in named]
    draw_stacks(path, list(reasons), heights, colours, "queried images", narrow=True)


def draw_batch_zones(path: str | os.PathLike, batches: Mapping[int, Sequence[str]]) -> None:
    """From which zone the images of each batch are, whatever they were chosen for.

    Args:
        path: of the PNG.
        batches: iteration to the zone of each queried image: low, medium, high, or blank for
            none.
    """
    heights, colours = {}, []
    for zone, colour in {**ZONES, "": NEUTRAL}.items():
        counts = [list(batch).count(zone) for batch in batches.values()]
        if any(counts):
            heights[f"{zone or 'no'} zone"] = counts
            colours.append(colour)
    draw_stacks(path, list(batches), heights, colours, "queried images", narrow=True)


def draw_batch_classes(
    path: str | os.PathLike,
    class_names: Sequence[str],
    counts: Mapping[int, Sequence[int]],
    unit: str,
) -> None:
    """How much of each batch is of which class (thesis, figure 6.1).

    Args:
        path: of the PNG.
        class_names: of classes 1, 2, ...
        counts: iteration to a number for each class; a last one more, where there is one, for
            images in which nothing was detected.
        unit: of the numbers.
    """
    names = [*class_names, _NONE]
    colours = [tuple(part / 255 for part in c) for c in class_colours(len(class_names))]
    colours.append(UNDETECTED)
    used = [i for i in range(len(names)) if any(len(c) > i and c[i] for c in counts.values())]
    heights = {names[i]: [row[i] if len(row) > i else 0 for row in counts.values()] for i in used}
    draw_stacks(path, list(counts), heights, [colours[i] for i in used], unit, narrow=True)


def images_per_class(instances: Mapping[str, Sequence[int]], classes: int) -> list[int]:
    """How many images show each class, from the instances of each class by image id."""
    return [sum(row[index] > 0 for row in instances.values()) for index in range(classes)]


def instances_per_class(instances: Mapping[str, Sequence[int]], classes: int) -> list[int]:
    """How many instances of each class there are, from those by image id."""
    return [sum(row[index] for row in instances.values()) for index in range(classes)]


def predictions_per_class(rows: Sequence[ScoreRow], classes: int) -> list[int]:
    """In how many images each class was detected in any pass; last, those without any."""
    found = [row.predicted_classes for row in rows]
    per_class = [sum(class_id in ids for ids in found) for class_id in range(1, classes + 1)]
    return [*per_class, sum(not ids for ids in found)]


def _reason_order(reason: str) -> tuple[int, str]:
    """Zones first, from low to high; random last."""
    kind, *details = reason.split(":")
    if kind == "zone" and details and details[0] in ZONES:
        return list(ZONES).index(details[0]), reason
    return len(ZONES) + (reason == "random"), reason


def _reason_label(reason: str) -> str:
    """`zone:low:fill` as a reader would say it."""
    kind, *details = reason.split(":")
    if kind != "zone" or not details:
        return reason.replace(":", " ").replace("_", " ")
    return " ".join([details[0], "zone", *(f"({detail})" for detail in details[1:])])
