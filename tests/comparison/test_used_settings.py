import pytest
from synthetic import RANDOM, SEMI, plan

from mrcnn_al.comparison.plan import Arm
from mrcnn_al.errors import UserError

ZONES = {"strategy": {"zones": "value"}}


def test_one_arm_that_uses_it_is_enough():
    made = plan(RANDOM, SEMI, settings=ZONES)
    assert all(made.config(arm).strategy.zones == "value" for arm in made.arms)


def test_what_all_arms_would_ignore_is_refused():
    entropy = Arm("entropy", {"strategy": {"name": "entropy"}})
    with pytest.raises(UserError, match="random would ignore --zones"):
        plan(RANDOM, entropy, settings=ZONES)


def test_an_arm_has_no_setting_for_another_strategy():
    with pytest.raises(UserError, match="The arm 'drawn': The strategy random would ignore"):
        plan(SEMI, Arm("drawn", {"strategy": {"name": "random", "pseudo_from": 2}}))


def test_settings_of_another_learner_are_refused():
    layers = {"training": {"layers": "heads"}}
    unet = Arm("unet", {"run": {"learner": "unet"}, "strategy": {"name": "random"}})
    with pytest.raises(UserError, match=r"training\.layers is for the learner mask_rcnn"):
        plan(unet, settings=layers)
    plan(RANDOM, unet, settings=layers)
