"""The single runs that make up a comparison."""

import dataclasses
from dataclasses import dataclass

from mrcnn_al.comparison.plan import (
    FIRST,
    FULL_DATA,
    Arm,
    Plan,
    drawing,
    same_training,
    scoring,
    uses_scores,
)
from mrcnn_al.config import Config


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        repeat: from 0.
        name: of the run; with `repeat` it is unique.
        config: its classes left open.
        first: name of the run of this repeat whose first iteration is also this one's.
    """

    repeat: int
    name: str
    config: Config
    first: str | None = None

    def __str__(self):
        return f"repeat {self.repeat + 1} {self.name}"


def jobs_of(plan: Plan, pool: int, labelled: int, share: bool = True) -> list[Job]:
    """All runs, in the order in which they should begin.

    Args:
        plan: of the comparison.
        pool: images of the pool.
        labelled: of these, what a run begins with.
        share: arms that train alike have their first iteration, which is before any strategy's
            choice, from one run that does only that. Where several of them ask for scores, it
            scores the pool, too: that depends on no strategy.
    """
    jobs = []
    for repeat in range(plan.repeats):
        groups = [g for g in _groups(plan) if len(g) > 1] if share else []
        first_of = {}
        for number, group in enumerate(groups, start=1):
            name = FIRST if number == 1 else f"{FIRST}-{number}"
            config = plan.config(group[0], repeat)
            scored = sum(uses_scores(plan.config(arm)) for arm in group) > 1
            once = dataclasses.replace(
                config,
                run=dataclasses.replace(config.run, iterations=1),
                strategy=(scoring if scored else drawing)(config.strategy.batch),
            )
            jobs.append(Job(repeat, name, once))
            first_of |= {arm.name: name for arm in group}
        jobs += [
            Job(repeat, arm.name, plan.config(arm, repeat), first_of.get(arm.name))
            for arm in plan.arms
        ]
        if plan.full_data:
            jobs.append(Job(repeat, FULL_DATA, plan.full_config(repeat, pool, labelled)))
    return jobs


def _groups(plan: Plan) -> list[list[Arm]]:
    """Arms by what their first iterations train."""
    groups: list[list[Arm]] = []
    for arm in plan.arms:
        config = plan.config(arm)
        for group in groups:
            if same_training(plan.config(group[0]), config):
                group.append(arm)
                break
        else:
            groups.append([arm])
    return groups
