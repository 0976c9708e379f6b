"""What `compare` refuses, before any work, and which options it has."""

import sys

import pytest

from mrcnn_al.cli.compare import compare
from mrcnn_al.cli.main import main
from mrcnn_al.cli.train import train
from mrcnn_al.comparison.runner import run_plan
from mrcnn_al.run_store import RunStore


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Runs the command in an empty folder: exit code and message."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def called(*arguments):
        monkeypatch.setattr(sys, "argv", ["mrcnn-al", "compare", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err

    return called


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--strategies", "random,maks"), "The arm 'maks': Unknown strategy 'maks'. Did you mean"),
        (("--strategies", "random,random"), "two arms of the name 'random'"),
        (("--strategies", "random,"), "an empty name"),
        (("--strategies", ""), "an empty name"),
        (("--repeats", "0"), "repeats is 0; it must be a number from 1 to 40"),
        (("--repeats", "few"), "'few' is not a valid integer"),
        (("--workers", "0"), "workers is 0; it must be 1 or more"),
        (("--seed", "-1"), "seed is -1"),
        (("--subset", "toys"), "Unknown subset 'toys'"),
        (("--subset", "dsb"), "pass Kaggle's stage1_train.zip"),
        (("--subset", "dsb", "--data", "nowhere"), "nowhere does not exist"),
        (("--subset", "dsb", "--data", "nowhere", "--scale", "0.5"), "nowhere does not exist"),
        (("--epochs", "-1"), "epochs is -1"),
        (("--full-epochs", "-1"), "epochs is -1"),
        (("--weights", "last"), "name the file"),
        (("--set", "strategy.name=mask"), "what --strategies is for"),
        (("--set", "strategy.nam=mask"), "StrategyConfig has no field 'nam'"),
        (("--set", "model.num_classes=3"), "follows from the image set"),
        (("--learner", "unet", "--set", "model.rpn_channels=8"), "of the learner mask_rcnn"),
        (("--strategies", "random,semi", "--aggregate", "sum"), "would ignore --aggregate"),
        (("--resume",), "No such option"),
    ],
)
def test_what_is_refused(call, tmp_path, arguments, words):
    code, message = call("--out", "out", *arguments)
    assert code == 2
    assert words in message
    assert "Traceback" not in message
    assert not list(tmp_path.glob("out/*"))


def test_a_folder_with_a_run_is_refused(call, tmp_path):
    RunStore.create(tmp_path / "run", "settings")
    code, message = call("--out", "run")
    assert code == 2
    assert "run holds a run" in message


def test_the_options_are_those_of_train():
    """All of them but what a comparison says in its own way."""
    own = {param.name for param in compare.params}
    assert {param.name for param in train.params} - own == {"strategy", "resume"}
    assert len(own) == len(compare.params)


@pytest.fixture
def planned(call, monkeypatch):
    """The plan that some arguments mean; it is not run."""
    plans = []

    def caught(plan, *arguments):
        plans.append(plan)
        raise SystemExit(0)

    def called(*arguments):
        monkeypatch.setattr("mrcnn_al.comparison.runner.run_plan", caught)
        code, message = call(*arguments)
        assert code == 0, message
        return plans[-1]

    assert run_plan is not caught
    return called


def test_the_plan_of_the_defaults(planned):
    plan = planned()
    assert [arm.name for arm in plan.arms] == ["random", "mask", "semi"]
    assert (plan.subset, plan.preset, plan.repeats, plan.seed) == ("toy", "cpu", 5, 0)
    assert plan.full_data
    assert plan.config(plan.arms[2]).strategy.batch == 8


def test_settings_go_to_the_strategies_that_understand_them(planned):
    plan = planned(
        *(
            "--strategies",
            "random, entropy,semi",
            "--aggregate",
            "mean",
            "--pseudo-threshold",
            "80",
        ),
        *("--balanced", "--batch", "4", "--seed", "6", "--no-full-data"),
    )
    strategies = {arm.name: plan.config(arm).strategy for arm in plan.arms}
    assert {name: s.aggregate for name, s in strategies.items()} == {
        "random": None,
        "entropy": "mean",
        "semi": None,
    }
    assert strategies["semi"].pseudo_threshold == 80
    assert {s.batch for s in strategies.values()} == {4}
    assert {name for name, s in strategies.items() if s.balanced} == {"entropy", "semi"}
    assert plan.config(plan.arms[0], 1).run.seed == 7
    assert not plan.full_data


def test_alone_random_can_be_balanced(planned):
    plan = planned("--strategies", "random", "--balanced")
    assert plan.config(plan.arms[0]).strategy.balanced


def test_a_small_set_is_labelled_in_small_batches(planned):
    plan = planned("--scale", "16", "--labelled", "3")
    assert {plan.config(arm).strategy.batch for arm in plan.arms} == {3}
    assert planned("--scale", "16", "--labelled", "3").to_yaml() == plan.to_yaml()
