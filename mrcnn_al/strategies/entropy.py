"""The top of the ranking by entropy."""

from dataclasses import dataclass
from typing import ClassVar

from mrcnn_al.strategies.ranking import RankingStrategy
from mrcnn_al.strategies.registry import register


@register("entropy")
@dataclass(frozen=True, kw_only=True)
class EntropyStrategy(RankingStrategy):
    """The images with the flattest class distributions.

    Source: Shannon 1948; thesis, eq. 3.3 and 3.4, figures 5.1 to 5.12.
    """

    measure: ClassVar[str] = "entropy"
