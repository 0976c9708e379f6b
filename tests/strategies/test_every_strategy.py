"""The template, for every registered strategy."""

import pytest
from template import StrategyTemplate

from mrcnn_al.strategies import make_strategy, strategy_names

VARIANTS = [
    ("mask", {"zones": "value"}),
    ("semi", {"zones": "value", "pseudo_threshold": 100, "pseudo_from": 3}),
]


class TestEveryStrategy(StrategyTemplate):
    @pytest.fixture(
        params=[*((name, {}) for name in strategy_names()), *VARIANTS],
        ids=lambda param: "-".join([param[0], *map(str, param[1].values())]),
    )
    def strategy(self, request):
        name, options = request.param
        return make_strategy(name, **options)
