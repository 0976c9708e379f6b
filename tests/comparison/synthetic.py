"""Comparisons that nobody has run: curves made up, so that their statistics are known."""

from mrcnn_al.comparison.plan import Arm, Plan
from mrcnn_al.comparison.results import Results
from mrcnn_al.evaluation.learning_curve import CurvePoint

RANDOM = Arm("random", {"strategy": {"name": "random"}})
MASK = Arm("mask", {"strategy": {"name": "mask"}})
SEMI = Arm("semi", {"strategy": {"name": "semi"}})


def plan(*arms, repeats=3, iterations=3, **others) -> Plan:
    given = {"preset": "cpu", "settings": {"run": {"iterations": iterations}}, **others}
    return Plan(subset="toy", arms=arms or (RANDOM, MASK), repeats=repeats, **given)


def curve(heights, instances=None, images=None) -> tuple[CurvePoint, ...]:
    """40 images more at each point, ten instances an image; AP50 is AP and 0.2."""
    images = images or [40 * (i + 1) for i in range(len(heights))]
    instances = instances or [10 * count for count in images]
    return tuple(
        CurvePoint(i + 1, images[i], instances[i], 0, AP=y, AP50=None if y is None else y + 0.2)
        for i, y in enumerate(heights)
    )


def full(height) -> CurvePoint:
    return CurvePoint(1, 480, 4800, 0, AP=height, AP50=height + 0.2)


def results(curves, full_points=(), finished=None, seconds=None, **others) -> Results:
    """Results of `random`, `mask`, ... by their curves, one a repeat."""
    arms = [Arm(name, {"strategy": {"name": name}}) for name in curves]
    repeats = len(next(iter(curves.values())))
    made = plan(*arms, repeats=repeats, full_data=bool(full_points), **others)
    done = dict.fromkeys(curves, (True,) * repeats) if finished is None else finished
    return Results(made, curves, tuple(full_points) or (None,) * repeats, done, seconds or {})
