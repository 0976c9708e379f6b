"""Every colour of the reports in one place, safe for colour-blind readers.

The hues are those of Okabe and Ito, Color Universal Design (2008).
"""

import colorsys
import math
from collections.abc import Sequence

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
YELLOW = "#F0E442"

SERIES = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, YELLOW)
ZONES = {"low": SKY, "medium": ORANGE, "high": VERMILION}

INK = "#1f2933"
MUTED = "#6b7785"
GRID = "#e4e7eb"
NEUTRAL = "#a9b1bc"
# Of images in which nothing was detected.
UNDETECTED = INK
# Of lines on white, where yellow would be lost.
LINES = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, INK)

_GOLDEN = (math.sqrt(5) - 1) / 2


def reason_colour(reason: str, reasons: Sequence[str]) -> str:
    """The colour of the reason an image was queried for.

    Args:
        reason: `zone:low` has the colour of its zone, `zone:low:fill` a pale one; `random` is
            neutral.
        reasons: all that occur; their order decides the colours of the others.
    """
    if reason == "random":
        return NEUTRAL
    kind, *details = reason.split(":")
    if kind == "zone" and details and details[0] in ZONES:
        colour = ZONES[details[0]]
        return colour if len(details) == 1 else pale(colour)
    free = [colour for colour in SERIES if colour not in ZONES.values()]
    return free[reasons.index(reason) % len(free)]


def class_colours(count: int) -> list[tuple[int, int, int]]:
    """A colour for each of the classes 1, 2, ...: those of the reports, then others."""
    colours = [rgb(colour) for colour in SERIES[:count]]
    for index in range(count - len(colours)):
        # Steps of the golden ratio keep any number of hues apart.
        hue = (0.13 + index * _GOLDEN) % 1
        value = (0.95, 0.7)[index % 2]
        colours.append(tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.75, value)))
    return colours


def pale(colour: str) -> str:
    """The colour `#rrggbb`, halfway to white."""
    return "#" + "".join(f"{(channel + 255) // 2:02x}" for channel in rgb(colour))


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of `#rrggbb`, each 0 to 255."""
    return tuple(bytes.fromhex(colour.removeprefix("#")))
