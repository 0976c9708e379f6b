import pytest

from mrcnn_al.training.schedule import WarmupSchedule


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


def test_warm_up_and_cosine():
    schedule = WarmupSchedule(0.02, 50, "cosine", 1050)
    assert rates(schedule, [0, 24, 49]) == pytest.approx([0.0004, 0.01, 0.02], rel=1e-5)
    assert rates(schedule, [50, 300, 550, 800]) == pytest.approx(
        [0.02, 0.01 + 0.01 * 0.5**0.5, 0.01, 0.01 - 0.01 * 0.5**0.5], rel=1e-4
    )
    assert rates(schedule, [1050, 2000]) == pytest.approx([0, 0], abs=1e-8)
    assert rates(schedule, [1049])[0] > 0


def test_warm_up_and_constant():
    schedule = WarmupSchedule(0.1, 4, "constant", 100)
    expected = [0.025, 0.05, 0.075, 0.1, 0.1, 0.1]
    assert rates(schedule, [0, 1, 2, 3, 4, 99]) == pytest.approx(expected)


def test_without_warm_up():
    assert rates(WarmupSchedule(0.1, 0, "constant", 5), [0, 4]) == pytest.approx([0.1, 0.1])


def test_warm_up_is_a_fifth_at_most():
    schedule = WarmupSchedule(0.1, 50, "constant", 10)
    assert rates(schedule, [0, 1, 2]) == pytest.approx([0.05, 0.1, 0.1])


def test_a_schedule_of_another_length():
    schedule = WarmupSchedule(0.1, 0, "cosine", 10)
    schedule.total_steps.assign(20)
    assert rates(schedule, [10]) == pytest.approx([0.05])
    copy = WarmupSchedule.from_config(schedule.get_config())
    assert rates(copy, range(20)) == pytest.approx(rates(schedule, range(20)))


def test_steps():
    schedule = WarmupSchedule(0.1, 2, "step", 10, (0.7, 0.9), 0.1)
    assert rates(schedule, range(10)) == pytest.approx([0.05, *[0.1] * 6, 0.01, 0.01, 0.001])
    copy = WarmupSchedule.from_config(schedule.get_config())
    copy.total_steps.assign(100)
    assert rates(copy, [69, 70, 89, 90]) == pytest.approx([0.1, 0.01, 0.01, 0.001])
