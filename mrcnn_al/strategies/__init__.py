"""Score rows in, a batch of image ids out; one file per strategy."""

from mrcnn_al.strategies.base import Query, Strategy
from mrcnn_al.strategies.core_set import CoreSetStrategy
from mrcnn_al.strategies.entropy import EntropyStrategy
from mrcnn_al.strategies.least_confident import LeastConfidentStrategy
from mrcnn_al.strategies.margin import MarginStrategy
from mrcnn_al.strategies.mask import MaskStrategy
from mrcnn_al.strategies.mask_class import MaskClassStrategy
from mrcnn_al.strategies.maskal import MaskALStrategy
from mrcnn_al.strategies.random_balanced import RandomBalancedStrategy
from mrcnn_al.strategies.random_batch import RandomStrategy
from mrcnn_al.strategies.registry import make_strategy, strategy_names, strategy_options
from mrcnn_al.strategies.semi import SemiStrategy
from mrcnn_al.uncertainty.image_features import ImageFeatures

__all__ = [
    "CoreSetStrategy",
    "EntropyStrategy",
    "ImageFeatures",
    "LeastConfidentStrategy",
    "MarginStrategy",
    "MaskALStrategy",
    "MaskClassStrategy",
    "MaskStrategy",
    "Query",
    "RandomBalancedStrategy",
    "RandomStrategy",
    "SemiStrategy",
    "Strategy",
    "make_strategy",
    "strategy_names",
    "strategy_options",
]
