"""Every experiment of chapter 5 of the thesis, and a study of its setting.

Where the thesis is silent, `reading` says what was assumed.
"""

from typing import Any

from mrcnn_al.comparison.plan import Arm
from mrcnn_al.errors import UserError, nearest
from mrcnn_al.experiments.experiment import BALANCE, SCRATCH, Experiment, Reported

_LATER_SETTINGS = (
    "That the batches are balanced and the images shuffled here, too, is read from the order of "
    "the experiments: each goes on from the one before."
)


def _arm(name: str, /, strategy: str | None = None, **sections: dict[str, Any]) -> Arm:
    """A line of the figure, by the name of its strategy where nothing else is said."""
    chosen = {"name": strategy or name, **sections.pop("options", {})}
    return Arm(name, {"strategy": chosen, **sections})


def _frameworks(strategy: str) -> tuple[Arm, ...]:
    """The four frameworks of the transfer study with one strategy."""
    coco = {"weights": "coco", "exclude": ["heads"]}
    rows = (
        ("1-scratch-add", {"weights": SCRATCH, "new_labels": "add"}),
        ("2-scratch-replace", {"weights": SCRATCH, "new_labels": "replace"}),
        ("3-coco-add", {**coco, "new_labels": "add"}),
        ("4-coco-replace", {**coco, "new_labels": "replace"}),
    )
    return tuple(_arm(f"framework-{name}", strategy, run=run) for name, run in rows)


_CLASS_UNCERTAINTY = (_arm("random"), _arm("least-confident"), _arm("entropy"))
_BALANCED = (
    _arm("random"),
    _arm("least-confident", options={"balanced": True}),
    _arm("entropy", options={"balanced": True}),
)
_SEMI = (
    _arm("random"),
    _arm("semi-from-3-below-50", "semi", options={"pseudo_from": 3, "pseudo_threshold": 50.0}),
    _arm("semi-from-1-below-100", "semi", options={"pseudo_from": 1, "pseudo_threshold": 100.0}),
)
_DSB = {"subset": "dsb", "iterations": 12, "epochs": 25, "batch": 40, "labelled": 40}
_COCO4 = {
    "subset": "coco4",
    "weights": "imagenet",
    "iterations": 20,
    "epochs": 5,
    "batch": 50,
    "labelled": 50,
}
_COCO5 = {
    "subset": "coco5",
    "weights": "imagenet",
    "iterations": 8,
    "epochs": 5,
    "batch": 40,
    "labelled": 40,
}
_SHUFFLED = {"strategy": {"shuffle": True}}
_FRAMEWORKS_FINDING = (
    "With COCO weights 8 to 16 % of the data reach what scratch reaches with all; 16 %: more "
    "than 91 % of the best. Adding or replacing the batch matters only from scratch."
)
_FRAMEWORKS_READING = (
    "Three figures and three strategies: one figure each, with the four frameworks as its lines. "
    "COCO weights are of a ResNet-101, so all four have that backbone. The model on all data "
    "starts from scratch."
)
_FROM_COCO = ("framework-3-coco-add", "framework-4-coco-replace")
_FRAMEWORKS_REPORTED = (
    # "8 to 16 %": by the second iteration at the latest.
    Reported(80, 1.0, arms=_FROM_COCO),
    Reported(80, 0.91, of="best", arms=_FROM_COCO, at_least=True),
)

_EXPERIMENTS = (
    Experiment(
        name="fig5.1",
        title="Class uncertainty, one class",
        arms=_CLASS_UNCERTAINTY,
        weights=SCRATCH,
        **_DSB,
        finding="None beats random consistently; 50 % of the data (240): 89 % of full performance.",
        reported=(Reported(240, 0.89),),
    ),
    Experiment(
        name="fig5.2",
        title="Class uncertainty, one class of large data",
        subset="coco2",
        arms=_CLASS_UNCERTAINTY,
        weights=SCRATCH,
        iterations=12,
        epochs=25,
        batch=4_200,
        labelled=4_200,
        finding="No significant difference; 50 % of the data (25,200): 83.47 %.",
        reported=(Reported(25_200, 0.8347),),
    ),
    Experiment(
        name="fig5.3",
        title="Class uncertainty, ten unbalanced classes",
        subset="coco3",
        arms=_CLASS_UNCERTAINTY,
        weights=SCRATCH,
        iterations=11,
        epochs=30,
        batch=6_195,
        labelled=6_195,
        finding="No significant difference; 54.5 % of the data (37,170): 91.5 %.",
        reported=(Reported(37_170, 0.915),),
    ),
    Experiment(
        name="fig5.4",
        title="Class uncertainty, five classes, small batches",
        arms=_CLASS_UNCERTAINTY,
        **_COCO4,
        finding="Random is better; 9.5 % of the data: about 70 % of full performance.",
        reported=(Reported(1_000, 0.70),),
    ),
    Experiment(
        name="fig5.5",
        title="The same with images shuffled",
        arms=_CLASS_UNCERTAINTY,
        **_COCO4,
        settings=_SHUFFLED,
        finding="Least confident competes with random.",
    ),
    Experiment(
        name="fig5.6",
        title="Balanced batches: the 10 most uncertain of each class",
        arms=_BALANCED,
        **_COCO4,
        settings=_SHUFFLED,
        finding="Balance and shuffling bring least confident to random's level.",
    ),
    Experiment(
        name="fig5.7",
        title="Balance of the batches in each iteration",
        arms=_BALANCED,
        **_COCO4,
        settings=_SHUFFLED,
        finding="Nothing about this figure is known here.",
        reading=(
            "The facts at hand skip figure 5.7. It stands between the experiments with balanced "
            "batches (5.6) and without images that show nothing (5.8); this is our reading of it: "
            "how evenly the batches of the runs of 5.6 show the classes, iteration by iteration."
        ),
        kind=BALANCE,
    ),
    Experiment(
        name="fig5.8",
        title="Images without detections skipped or not",
        arms=(
            _arm("random"),
            _arm("least-confident", options={"balanced": True}),
            _arm(
                "least-confident-skip",
                "least-confident",
                options={"balanced": True, "skip_undetected": True},
            ),
        ),
        **_COCO4,
        settings=_SHUFFLED,
        finding="Little difference.",
        reading=(
            "The strategy is not known here; least confident is the one that the figures before "
            f"it are about. {_LATER_SETTINGS}"
        ),
    ),
    Experiment(
        name="fig5.9",
        title="Network complexity: a U-Net as the model",
        arms=(_arm("random"), _arm("least-confident")),
        weights=SCRATCH,
        **_DSB,
        settings={"run": {"learner": "unet"}},
        finding="No significant difference.",
        reading="Compare with figure 5.1, the same with a Mask R-CNN.",
    ),
    *(
        Experiment(
            name=name,
            title=f"Transfer learning, frameworks 1 to 4, {strategy}",
            arms=_frameworks(strategy),
            weights=None,
            **_DSB,
            finding=_FRAMEWORKS_FINDING,
            reported=_FRAMEWORKS_REPORTED,
            reading=_FRAMEWORKS_READING,
        )
        for name, strategy in (
            ("fig5.10", "random"),
            ("fig5.11", "least-confident"),
            ("fig5.12", "entropy"),
        )
    ),
    Experiment(
        name="fig5.13",
        title="Mask uncertainty, one class, batches of 10",
        subset="dsb",
        arms=(_arm("random"), _arm("mask")),
        weights=SCRATCH,
        iterations=15,
        epochs=10,
        batch=10,
        labelled=10,
        finding=(
            "Mask competes with random; the last iteration reaches 91.3 % of full performance "
            "with 32 % of the data."
        ),
        reported=(Reported(150, 0.913, arms=("mask",)),),
        reading=(
            "32 % of the data in the 15th iteration means 10 images at the start (150 of 480, "
            "31.3 %) and not the subset's 40."
        ),
    ),
    Experiment(
        name="fig5.14",
        title="Mask uncertainty, two classes, batches of 40",
        arms=(_arm("random"), _arm("mask")),
        **_COCO5,
        finding=(
            "At random's level, ahead at iterations 3, 5 and 8; 63 % of full performance with "
            "6.6 % of the data."
        ),
        reported=(Reported(200, 0.63, arms=("mask",)),),
    ),
    Experiment(
        name="fig5.15",
        title="Mask and class uncertainty together",
        arms=(_arm("random"), _arm("least-confident"), _arm("mask"), _arm("mask-class")),
        **_COCO5,
        finding="Mask + class = mask > least confident.",
    ),
    Experiment(
        name="fig5.16",
        title="Semi-supervised, batches of 40",
        arms=_SEMI,
        **_COCO5,
        finding="From the fourth iteration on semi clearly beats random.",
    ),
    Experiment(
        name="fig5.17",
        title="Semi-supervised, batches of 10",
        arms=_SEMI,
        **{**_COCO5, "batch": 10},
        finding="Semi beats random in most iterations.",
        reading="The images labelled at the start are the subset's 40.",
    ),
    Experiment(
        name="carry",
        title="Weights carried from one iteration to the next, or not",
        arms=(
            _arm("carried", "random", run={"carry_weights": True}),
            _arm("restarted", "random", run={"carry_weights": False}),
        ),
        weights=SCRATCH,
        **_DSB,
        finding="The thesis carries them and reports no comparison.",
        reading="No figure of the thesis: what its choice is worth, in the setting of figure 5.1.",
    ),
)

EXPERIMENTS = {experiment.name: experiment for experiment in _EXPERIMENTS}


def find_experiment(name: str) -> Experiment:
    """An experiment by its name; the number of the figure alone will do.

    Raises:
        UserError: there is none.
    """
    for known in (name, f"fig{name}"):
        if known in EXPERIMENTS:
            return EXPERIMENTS[known]
    raise UserError(f"There is no experiment {name!r}. {nearest(name, [*EXPERIMENTS, 'passes'])}")
