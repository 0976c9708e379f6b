"""The top of the ranking by MaskAL's uncertainty."""

from dataclasses import dataclass
from typing import ClassVar

from mrcnn_al.strategies.ranking import RankingStrategy
from mrcnn_al.strategies.registry import register


@register("maskal")
@dataclass(frozen=True, kw_only=True)
class MaskALStrategy(RankingStrategy):
    """The images whose instances are the least certain, in class, place and occurrence.

    Source: Blok et al. 2022 (arXiv 2112.06586), see `maskal_uncertainties`. With the aggregate
    `mean`, the default, and `max` it takes the images whose certainty is the lowest by the
    original's average and minimum. Images without any detection have the certainty 0 here; the
    original has none for them and loses them.
    """

    aggregate: str = "mean"
    measure: ClassVar[str] = "maskal"
