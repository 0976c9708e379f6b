"""The top of the ranking by margin."""

from dataclasses import dataclass
from typing import ClassVar

from mrcnn_al.strategies.ranking import RankingStrategy
from mrcnn_al.strategies.registry import register


@register("margin")
@dataclass(frozen=True, kw_only=True)
class MarginStrategy(RankingStrategy):
    """The images whose two likeliest classes are the closest.

    Source: Scheffer et al. 2001; a baseline that is not in the thesis.
    """

    measure: ClassVar[str] = "margin"
