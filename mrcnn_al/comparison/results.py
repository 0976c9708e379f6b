"""What a comparison has found so far, as its runs tell it."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mrcnn_al.comparison.plan import FULL_DATA, Plan
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.evaluation.learning_curve import CurvePoint, read_curve
from mrcnn_al.run_store import RunStore


@dataclass(frozen=True)
class Results:
    """The learning curves of all runs.

    Attributes:
        plan: what was to be run.
        curves: name of the arm to one curve for each repeat, empty where no iteration is
            finished.
        full: the model trained on the whole pool, for each repeat; None where there is none.
        finished: name of the arm to whether each repeat has come to its end; an arm that is not
            named here has.
        seconds: name of the arm, or FULL_DATA, to the seconds of each phase so far, for each
            repeat; a first iteration that was taken over counts as if it had been done.
    """

    plan: Plan
    curves: Mapping[str, tuple[tuple[CurvePoint, ...], ...]]
    full: tuple[CurvePoint | None, ...]
    finished: Mapping[str, tuple[bool, ...]] = field(default_factory=dict)
    seconds: Mapping[str, tuple[Mapping[str, float], ...]] = field(default_factory=dict)

    def complete(self, repeat: int) -> bool:
        """Whether all arms of a repeat (from 0) have come to their end, with a point at least."""
        return all(
            curves[repeat] and self.finished.get(name, (True,) * len(curves))[repeat]
            for name, curves in self.curves.items()
        )


def read_results(folder: str | os.PathLike) -> Results:
    """Reads a comparison, one in progress included.

    Raises:
        UserError: there is no comparison in `folder`, or a file in it is broken.
    """
    store = ComparisonStore(folder)
    plan = store.read_plan()
    repeats = range(plan.repeats)
    runs = {
        arm.name: [RunStore(store.run_folder(repeat, arm.name)) for repeat in repeats]
        for arm in plan.arms
    }
    full = [RunStore(store.run_folder(repeat, FULL_DATA)) for repeat in repeats]
    return Results(
        plan,
        {name: tuple(map(_curve, stores)) for name, stores in runs.items()},
        tuple(next(iter(_curve(run)), None) if plan.full_data else None for run in full),
        {
            arm.name: tuple(
                has_ended(run, plan.config(arm).run.iterations) for run in runs[arm.name]
            )
            for arm in plan.arms
        },
        {name: tuple(map(_seconds, stores)) for name, stores in {**runs, FULL_DATA: full}.items()},
    )


def has_ended(store: RunStore, iterations: int) -> bool:
    """Whether a run has done its iterations, or has labelled its pool before that."""
    if not store.pool_path.is_file():
        return False
    pool = store.read_pool()
    if pool.iteration > iterations:
        return True
    curve = _curve(store)
    return not pool.unlabelled and bool(curve) and curve[-1].labelled_images == len(pool.labelled)


def _curve(store: RunStore) -> tuple[CurvePoint, ...]:
    path: Path = store.curve_path
    return tuple(read_curve(path)) if path.is_file() else ()


def _seconds(store: RunStore) -> dict[str, float]:
    spent: Counter = Counter()
    for iteration in store.iterations():
        if iteration.metrics_path.is_file():
            spent.update(iteration.read_metrics().get("seconds", {}))
    return dict(spent)
