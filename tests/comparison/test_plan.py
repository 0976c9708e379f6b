import dataclasses

import pytest
import yaml
from synthetic import MASK, RANDOM, SEMI, plan

from mrcnn_al.comparison.plan import Arm, Plan
from mrcnn_al.config import Config
from mrcnn_al.errors import UserError


def test_a_plan_is_what_its_yaml_says():
    made = plan(
        RANDOM,
        Arm("semi, from 3", {"strategy": {"name": "semi", "pseudo_from": 3}}),
        repeats=4,
        seed=7,
        settings={"training": {"step_milestones": [0.5, 0.9], "epochs": 3}},
        full_settings={"training": {"epochs": 30}},
        full_data=False,
    )
    read = Plan.from_yaml(made.to_yaml())
    assert read == made
    assert read.config(read.arms[1], 2) == made.config(made.arms[1], 2)
    assert read.settings["training"]["step_milestones"] == (0.5, 0.9)


def test_what_may_be_left_out_of_the_yaml():
    content = {"subset": "toy", "preset": "cpu", "repeats": 2, "arms": [{"name": "semi"}]}
    assert Plan.from_yaml(yaml.safe_dump(content)) == Plan("toy", "cpu", (Arm("semi"),), 2)


def test_the_configuration_of_a_run():
    """Seeds count on; an arm's own settings come last; lists and tuples are the same."""
    arm = Arm("own", {"training": {"epochs": 9}, "strategy": {"name": "entropy"}})
    made = plan(RANDOM, arm, seed=5, settings={"training": {"epochs": 3, "flips": True}})
    expected = Config.for_subset(
        "cpu",
        "toy",
        run={"seed": 7},
        training={"epochs": 9, "flips": True},
        strategy={"name": "entropy"},
    )
    assert made.config(arm, 2) == expected
    assert made.config(RANDOM, 0).training.epochs == 3
    assert made.config(RANDOM, 0).run.seed == 5


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        ({"training": {"epochs": 5, "steps_per_epoch": 60}}, 20),
        ({"training": {"epochs": 5, "steps_per_epoch": 60}, "run": {"carry_weights": False}}, 5),
        # 40 + 80 + 120 + 160 = 400 images of 1000 in each of 5 epochs: 2 epochs, but at least 5.
        ({"training": {"epochs": 5, "steps_per_epoch": None}}, 5),
        # The pool of 100 is used up: 40 + 80 + 100 + 100 = 3.2 pools.
        ({"training": {"epochs": 5, "steps_per_epoch": None}, "pool": 100}, 16),
    ],
)
def test_the_model_on_all_data_is_trained_as_long_as_an_arm(settings, epochs):
    settings = {key: dict(value) if key != "pool" else value for key, value in settings.items()}
    pool = settings.pop("pool", 1000)
    settings.setdefault("run", {})["iterations"] = 4
    settings["strategy"] = {"batch": 40, "balanced": True}
    made = plan(settings=settings)
    config = made.full_config(1, pool, 40)
    assert config.training.epochs == epochs
    assert (config.run.iterations, config.run.labelled, config.run.seed) == (1, pool, 1)
    assert (config.strategy.name, config.strategy.balanced) == ("random", False)
    arm = made.config(RANDOM, 1)
    same = dataclasses.replace(
        config,
        run=dataclasses.replace(config.run, iterations=4, labelled=arm.run.labelled),
        training=dataclasses.replace(config.training, epochs=5),
        strategy=arm.strategy,
    )
    assert same == arm


def test_the_model_on_all_data_may_have_settings_of_its_own():
    made = plan(full_settings={"training": {"epochs": 2, "learning_rate": 0.5}})
    training = made.full_config(0, 100, 10).training
    assert (training.epochs, training.learning_rate) == (2, 0.5)
    assert made.config(RANDOM).training.learning_rate != 0.5


def test_every_arm_has_its_own_random():
    scratch = {"run": {"weights": "none"}}
    arms = [
        Arm("random a", {"strategy": {"name": "random"}}),
        Arm("entropy a", {"strategy": {"name": "entropy"}}),
        Arm("random b", {"strategy": {"name": "random"}, **scratch}),
        Arm("entropy b", {"strategy": {"name": "entropy"}, **scratch}),
        Arm("more passes", {"strategy": {"name": "mask"}, "sampling": {"passes": 20}}),
        Arm("batch of 10", {"strategy": {"name": "random", "batch": 10}}),
    ]
    made = plan(*arms)
    baselines = {arm.name: made.baseline(arm) for arm in arms}
    assert {name: arm and arm.name for name, arm in baselines.items()} == {
        "random a": None,
        "entropy a": "random a",
        "random b": None,
        "entropy b": "random b",
        "more passes": "random a",
        "batch of 10": "random a",
    }
    assert plan(MASK, SEMI).baseline(SEMI) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"repeats": 9}, []),
        ({"repeats": 2}, ["repeats: 3, not 2"]),
        ({"seed": 1}, ["seed: 0, not 1"]),
        ({"full_data": False}, ["full_data: True, not False"]),
        ({"settings": {"run": {"iterations": 4}}}, ["settings.run.iterations: 3, not 4"]),
        ({"settings": {"run": {"iterations": 3, "data": "/moved"}}}, []),
        (
            {"settings": {"run": {"iterations": 3}, "model": {"rpn_channels": 8}}},
            ["settings.model.rpn_channels: not given, not 8"],
        ),
        ({"arms": (RANDOM, SEMI)}, ["arms: 'random, mask', not 'random, semi'"]),
        (
            {"arms": (RANDOM, Arm("mask", {"strategy": {"name": "semi"}}))},
            ["arm mask.strategy.name: 'mask', not 'semi'"],
        ),
        (
            {"full_settings": {"training": {"epochs": 4}}},
            ["full_settings.training.epochs: not given, not 4"],
        ),
    ],
)
def test_differences_are_named(changes, words):
    found = plan().differences(dataclasses.replace(plan(), **changes))
    # Another set of arms has other settings of arms, too.
    assert found[: len(words)] == words
    assert len(found) == len(words) or "arms" in changes


@pytest.mark.parametrize(
    ("arms", "changes", "words"),
    [
        ((), {"repeats": 0}, "repeats is 0; it must be a number from 1 to 40"),
        ((), {"repeats": 41}, "repeats is 41"),
        ((), {"repeats": 2.0}, "repeats is 2.0"),
        ((), {"repeats": True}, "repeats is True"),
        ((), {"seed": -1}, "seed is -1"),
        ((), {"full_data": 1}, "full_data is 1; it must be true or false"),
        ((), {"preset": "gpu"}, "Unknown preset 'gpu'"),
        ((), {"settings": {"runs": {}}}, "no section 'runs'"),
        ((), {"settings": {"run": {"iteration": 3}}}, "Did you mean 'iterations'?"),
        ((), {"settings": {"run": {"iterations": 0}}}, "iterations is 0"),
        ((), {"settings": {"run": {"seed": 3}}}, "run.seed must be the same"),
        ((), {"settings": {"model": {"num_classes": 3}}}, "follows from the image set"),
        ((), {"settings": {"run": 3}}, "the section 'run' is 3"),
        ((), {"settings": 3}, "settings are by section and field"),
        ((), {"full_settings": {"training": {"epochs": -1}}}, "epochs is -1"),
        ((), {"full_settings": {"run": {"scale": 0.5}}}, "The model on all data: run.scale"),
        ((Arm("a", {"run": {"data": "x"}}),), {}, "The arm 'a': run.data must be the same"),
        ((Arm("a", {"strategy": {"name": "maks"}}),), {}, "Did you mean 'mask'?"),
        ((Arm("a", {"strategy": {"name": "semi", "aggregate": "max"}}),), {}, "The arm 'a'"),
        ((RANDOM, Arm("Random")), {}, "two arms of the name 'Random'"),
        ((Arm("full-data"),), {}, "cannot be named 'full-data'"),
        ((Arm("first-2"),), {}, "cannot be named 'first-2'"),
        ((Arm("a.log"),), {}, "cannot be named 'a.log'"),
        *(
            ((Arm(name),), {}, "cannot be the name of an arm")
            for name in ("", "a/b", "..", ".a", "a.", "a ", " a", "a\nb", "a" * 81, 3)
        ),
    ],
)
def test_what_is_no_plan(arms, changes, words):
    with pytest.raises(UserError) as raised:
        plan(*arms, **changes)
    assert words in str(raised.value)


def test_a_plan_without_arms():
    with pytest.raises(UserError, match="at least one arm"):
        Plan("toy", "cpu", (), 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "is not valid YAML"),
        ("3", "it must hold subset, preset"),
        ("subset: toy", "lacks the field 'preset'"),
        ("{subset: toy, preset: cpu, arms: [], repeats: 1, seeds: 2}", "Did you mean 'seed'?"),
        ("{subset: toy, preset: cpu, arms: 3, repeats: 1}", "arms must be a list"),
        ("{subset: toy, preset: cpu, arms: [3], repeats: 1}", "an arm must hold name, settings"),
        ("{subset: toy, preset: cpu, arms: [{}], repeats: 1}", "an arm lacks the field 'name'"),
        ("{subset: 3, preset: cpu, arms: [{name: a}], repeats: 1}", "subset is 3"),
        ("{subset: toy, preset: cpu, arms: [{name: a}], repeats: x}", "repeats is 'x'"),
    ],
)
def test_a_broken_file(text, words):
    with pytest.raises(UserError) as raised:
        Plan.from_yaml(text, "here.yaml")
    assert words in str(raised.value)
    assert "here.yaml" in str(raised.value)


def test_an_arm_by_its_name():
    assert plan().arm("mask") == MASK
    with pytest.raises(UserError, match=r"no arm 'maks'\. Did you mean 'mask'"):
        plan().arm("maks")
