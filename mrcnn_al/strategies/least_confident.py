"""The top of the ranking by least confidence."""

from dataclasses import dataclass
from typing import ClassVar

from mrcnn_al.strategies.ranking import RankingStrategy
from mrcnn_al.strategies.registry import register


@register("least-confident")
@dataclass(frozen=True, kw_only=True)
class LeastConfidentStrategy(RankingStrategy):
    """The images whose least sure guess of a class is the least sure of all.

    Source: Lewis and Gale 1994; thesis, eq. 3.1 and 3.2, figures 5.1 to 5.8.
    """

    measure: ClassVar[str] = "least_confident"
