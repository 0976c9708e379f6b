import dataclasses

from synthetic import MASK, RANDOM, SEMI, plan

from mrcnn_al.comparison.jobs import jobs_of
from mrcnn_al.comparison.plan import Arm

SCRATCH = {"run": {"weights": "none"}}
OTHERS = (
    Arm("random scratch", {"strategy": {"name": "random"}, **SCRATCH}),
    Arm("mask scratch", {"strategy": {"name": "mask"}, **SCRATCH}),
)


def names(jobs):
    return [(job.repeat, job.name, job.first) for job in jobs]


def test_arms_that_train_alike_share_their_first_iteration():
    assert names(jobs_of(plan(RANDOM, MASK, *OTHERS, repeats=2), 480, 40)) == [
        (repeat, name, first)
        for repeat in (0, 1)
        for name, first in (
            ("first", None),
            ("first-2", None),
            ("random", "first"),
            ("mask", "first"),
            ("random scratch", "first-2"),
            ("mask scratch", "first-2"),
            ("full-data", None),
        )
    ]


def test_arms_that_do_not_share_nothing():
    """Other passes may mean other metrics; a single arm has nobody to share with."""
    passes = Arm("passes", {"strategy": {"name": "mask"}, "sampling": {"passes": 3}})
    expected = [(0, "random", None), (0, "passes", None)]
    assert names(jobs_of(plan(RANDOM, passes, repeats=1, full_data=False), 480, 40)) == expected
    shared = plan(RANDOM, SEMI, repeats=1, full_data=False)
    assert names(jobs_of(shared, 480, 40, share=False)) == [
        (0, "random", None),
        (0, "semi", None),
    ]


def test_the_shared_run_scores_the_pool_for_those_who_would():
    """For one alone it need not, and it makes no pseudo-labels."""
    for arms, name in (((RANDOM, MASK), "random"), ((SEMI, RANDOM, MASK), "least-confident")):
        for share, expected in ((True, name), (False, arms[0].name)):
            job = jobs_of(plan(*arms, repeats=1), 480, 40, share)[0]
            assert job.config.strategy.name == expected


def test_the_shared_run_trains_as_the_arms_do():
    made = plan(RANDOM, MASK, settings={"run": {"iterations": 5}, "strategy": {"batch": 7}})
    first, random, mask, full = jobs_of(made, 480, 40)[-4:]
    assert (first.config.run.iterations, first.config.strategy.name) == (1, "random")
    for arm in (random, mask):
        run = dataclasses.replace(arm.config.run, iterations=1)
        strategy = first.config.strategy
        assert dataclasses.replace(arm.config, run=run, strategy=strategy) == first.config
        assert arm.config == made.config(made.arm(arm.name), 2)
    assert full.config == made.full_config(2, 480, 40)
