"""Score rows in, a batch of image ids out; one file per strategy."""

from mrcnn_al.strategies.base import Query, Strategy
from mrcnn_al.strategies.mask import MaskStrategy
from mrcnn_al.strategies.random_batch import RandomStrategy
from mrcnn_al.strategies.registry import make_strategy, strategy_names, strategy_options
from mrcnn_al.strategies.semi import SemiStrategy

__all__ = [
    "MaskStrategy",
    "Query",
    "RandomStrategy",
    "SemiStrategy",
    "Strategy",
    "make_strategy",
    "strategy_names",
    "strategy_options",
]
