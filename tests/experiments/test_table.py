"""The table says what the thesis says."""

import dataclasses

import pytest

from mrcnn_al.comparison.plan import Arm
from mrcnn_al.errors import UserError
from mrcnn_al.experiments.experiment import Reported
from mrcnn_al.experiments.table import EXPERIMENTS, find_experiment

THREE = ("random", "least-confident", "entropy")
# Figure: subset, strategies, start weights, iterations, epochs, batch, labelled at the start,
# images for training.
THESIS = {
    "5.1": ("dsb", THREE, "none", 12, 25, 40, 40, 480),
    "5.2": ("coco2", THREE, "none", 12, 25, 4200, 4200, 50400),
    "5.3": ("coco3", THREE, "none", 11, 30, 6195, 6195, 68145),
    "5.4": ("coco4", THREE, "imagenet", 20, 5, 50, 50, 10500),
    "5.5": ("coco4", THREE, "imagenet", 20, 5, 50, 50, 10500),
    "5.6": ("coco4", THREE, "imagenet", 20, 5, 50, 50, 10500),
    "5.7": ("coco4", THREE, "imagenet", 20, 5, 50, 50, 10500),
    "5.8": ("coco4", ("random", *["least-confident"] * 2), "imagenet", 20, 5, 50, 50, 10500),
    "5.9": ("dsb", ("random", "least-confident"), "none", 12, 25, 40, 40, 480),
    "5.10": ("dsb", ("random",) * 4, None, 12, 25, 40, 40, 480),
    "5.11": ("dsb", ("least-confident",) * 4, None, 12, 25, 40, 40, 480),
    "5.12": ("dsb", ("entropy",) * 4, None, 12, 25, 40, 40, 480),
    "5.13": ("dsb", ("random", "mask"), "none", 15, 10, 10, 10, 480),
    "5.14": ("coco5", ("random", "mask"), "imagenet", 8, 5, 40, 40, 3040),
    "5.15": (
        *("coco5", ("random", "least-confident", "mask", "mask-class")),
        *("imagenet", 8, 5, 40, 40, 3040),
    ),
    "5.16": ("coco5", ("random", "semi", "semi"), "imagenet", 8, 5, 40, 40, 3040),
    "5.17": ("coco5", ("random", "semi", "semi"), "imagenet", 8, 5, 10, 40, 3040),
}
# Figure, labelled images, share.
REPORTED = {
    ("5.1", 240, 0.89),
    ("5.2", 25200, 0.8347),
    ("5.3", 37170, 0.915),
    ("5.4", 1000, 0.70),
    ("5.10", 80, 0.91),
    ("5.10", 80, 1.0),
    ("5.11", 80, 0.91),
    ("5.11", 80, 1.0),
    ("5.12", 80, 0.91),
    ("5.12", 80, 1.0),
    ("5.13", 150, 0.913),
    ("5.14", 200, 0.63),
}


def settings(name):
    return [arm.settings for arm in EXPERIMENTS[name].arms]


@pytest.mark.parametrize("figure", THESIS)
def test_numbers_of_the_thesis(figure):
    experiment = EXPERIMENTS[f"fig{figure}"]
    assert (
        experiment.subset,
        tuple(arm.settings["strategy"]["name"] for arm in experiment.arms),
        experiment.weights,
        experiment.iterations,
        experiment.epochs,
        experiment.batch,
        experiment.labelled,
        experiment.train,
    ) == THESIS[figure]


def test_every_figure_is_there():
    figures = [f"fig5.{number}" for number in range(1, 18)]
    assert list(EXPERIMENTS) == [*figures, "carry"]
    assert all(experiment.name == name for name, experiment in EXPERIMENTS.items())
    assert all(experiment.finding for experiment in EXPERIMENTS.values())


def test_what_was_reported():
    found = {
        (experiment.name.removeprefix("fig"), point.labelled, point.share)
        for experiment in EXPERIMENTS.values()
        for point in experiment.reported
    }
    assert found == REPORTED


@pytest.mark.parametrize(
    ("figure", "labelled", "share_of_data"),
    [
        ("fig5.1", 240, "50%"),
        ("fig5.2", 25_200, "50%"),
        ("fig5.3", 37_170, "55%"),
        ("fig5.4", 1_000, "10%"),
        ("fig5.10", 80, "17%"),
        ("fig5.13", 150, "31%"),
        ("fig5.14", 200, "7%"),
    ],
)
def test_the_shares_of_the_data_are_the_thesiss_but_for_rounding(figure, labelled, share_of_data):
    assert f"{labelled / EXPERIMENTS[figure].train:.0%}" == share_of_data


def test_the_last_iteration_of_the_scratch_experiments_has_all_images():
    for name in ("fig5.1", "fig5.2", "fig5.3", "fig5.9"):
        assert EXPERIMENTS[name].last_labelled == EXPERIMENTS[name].train
    assert EXPERIMENTS["fig5.4"].last_labelled == 1_000
    assert EXPERIMENTS["fig5.14"].last_labelled == 320
    assert EXPERIMENTS["fig5.17"].last_labelled == 110


def test_what_tells_the_experiments_of_subset_4_apart():
    assert "strategy" not in EXPERIMENTS["fig5.4"].settings
    assert EXPERIMENTS["fig5.5"].settings["strategy"] == {"shuffle": True}
    assert [s["strategy"].get("balanced", False) for s in settings("fig5.5")] == [False] * 3
    assert [s["strategy"].get("balanced", False) for s in settings("fig5.6")] == [False, True, True]
    skipped = [s["strategy"].get("skip_undetected", False) for s in settings("fig5.8")]
    assert skipped == [False, False, True]


def test_figure_5_7_is_of_the_runs_of_5_6_and_says_whose_reading_that_is():
    ours, before = EXPERIMENTS["fig5.7"], EXPERIMENTS["fig5.6"]
    told = {"name", "title", "finding", "reading", "kind"}
    for field in dataclasses.fields(ours):
        if field.name not in told:
            assert getattr(ours, field.name) == getattr(before, field.name)
    assert "our reading" in ours.reading
    assert "known" in ours.finding


@pytest.mark.parametrize("name", ["fig5.10", "fig5.11", "fig5.12"])
def test_the_four_frameworks(name):
    runs = [arm["run"] for arm in settings(name)]
    assert [(run["weights"], run["new_labels"]) for run in runs] == [
        ("none", "add"),
        ("none", "replace"),
        ("coco", "add"),
        ("coco", "replace"),
    ]
    # The COCO file knows other classes.
    assert [tuple(run.get("exclude", ())) for run in runs] == [(), (), ("heads",), ("heads",)]


@pytest.mark.parametrize("name", ["fig5.16", "fig5.17"])
def test_the_pseudo_labels(name):
    found = [s["strategy"] for s in settings(name)[1:]]
    assert [(s["pseudo_from"], s["pseudo_threshold"]) for s in found] == [(3, 50), (1, 100)]


def test_the_second_learner_and_the_study_of_carried_weights():
    assert EXPERIMENTS["fig5.9"].settings == {"run": {"learner": "unet"}}
    assert [s["run"]["carry_weights"] for s in settings("carry")] == [True, False]


def test_an_experiment_is_found_by_its_number():
    assert find_experiment("fig5.13") is find_experiment("5.13") is EXPERIMENTS["fig5.13"]
    with pytest.raises(UserError, match=r"no experiment 'fig5\.18'.*Did you mean"):
        find_experiment("fig5.18")


@pytest.mark.parametrize("labelled", [0, 39, 41, 60, 520])
def test_a_number_of_images_that_no_iteration_has(labelled):
    with pytest.raises(ValueError, match="no iteration"):
        EXPERIMENTS["fig5.1"].iteration_of(labelled)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"subset": "coco9"}, "no subset"),
        ({"arms": (Arm("a"), Arm("a"))}, "same name"),
        ({"reported": (Reported(41, 0.5),)}, "no iteration"),
        ({"reported": (Reported(40, 0.5, arms=("mask",)),)}, "not there"),
    ],
)
def test_a_row_that_cannot_be(changes, words):
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(EXPERIMENTS["fig5.1"], **changes)


def test_reported_text():
    assert Reported(1, 0.8347).text() == "83.47 %"
    assert Reported(1, 0.91, at_least=True).text() == "> 91 %"
    assert Reported(1, 0.7).text() == "70 %"
