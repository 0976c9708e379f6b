"""Settings that nothing would look at are refused."""

from collections.abc import Collection, Mapping, Sequence

from mrcnn_al.config import Config
from mrcnn_al.config.learner_settings import check_learner_settings
from mrcnn_al.errors import UserError
from mrcnn_al.strategies.factory import check_strategy_settings


def check_used(configs: Sequence[Config], given: Mapping[str, Collection[str]]) -> None:
    """Sees to it that each setting means something to at least one run.

    Args:
        configs: of the runs that have the settings.
        given: names of the fields that were asked for, by section.

    Raises:
        UserError: all runs would ignore one of them; it is named.
    """
    for section, names in given.items():
        for name in names:
            refusals = [_refusal(config, section, name) for config in configs]
            if all(refusals):
                raise refusals[0]


def _refusal(config, section, name):
    try:
        check_learner_settings(config.run.learner, {section: [name]})
        if section == "strategy":
            check_strategy_settings(config.strategy.name, [name])
    except UserError as error:
        return error
    return None
