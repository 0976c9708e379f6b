import dataclasses

import pytest
from synthetic import plan

from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.errors import UserError
from mrcnn_al.run_store import RunStore


def test_a_comparison_begins_and_goes_on(tmp_path):
    store = ComparisonStore(tmp_path / "new" / "comparison")
    with store.opened(plan()):
        assert store.read_plan() == plan()
    more = dataclasses.replace(plan(), repeats=8)
    with store.opened(more):
        assert store.read_plan() == more


def test_another_plan_is_refused_and_said_why(tmp_path):
    store = ComparisonStore(tmp_path)
    with store.opened(plan()):
        pass
    other = dataclasses.replace(plan(), seed=4, settings={"run": {"iterations": 5}})
    with pytest.raises(UserError) as raised, store.opened(other):
        pass
    message = str(raised.value)
    assert "seed: 0, not 4" in message
    assert "settings.run.iterations: 3, not 5" in message
    assert store.read_plan() == plan()


def test_two_at_a_time_are_refused(tmp_path):
    store = ComparisonStore(tmp_path)
    with (
        store.opened(plan()),
        pytest.raises(UserError, match="in use by another process"),
        ComparisonStore(tmp_path).opened(plan()),
    ):
        pass
    with store.opened(plan()):
        pass


@pytest.mark.parametrize(("name", "what"), [("config.yaml", "a run"), ("a.txt", "other files")])
def test_folders_with_something_else(tmp_path, name, what):
    (tmp_path / name).write_text("")
    with pytest.raises(UserError, match=f"holds {what}. Choose another --out"):
        ComparisonStore(tmp_path).check(plan())


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(UserError, match="a is a file"):
        ComparisonStore(tmp_path / "a").check(plan())


def test_no_comparison(tmp_path):
    with pytest.raises(UserError, match="There is no comparison in"):
        ComparisonStore(tmp_path).read_plan()


def test_what_killed_writers_left_is_cleared_away(tmp_path):
    leftover = tmp_path / ".summary.0a1b2c3d.json"
    leftover.write_text("{")
    store = ComparisonStore(tmp_path)
    store.check(plan())
    with store.opened(plan()):
        assert not leftover.exists()


def test_what_others_killed_writers_left_is_not_ours(tmp_path):
    (tmp_path / ".thesis.0a1b2c3d.tex").write_text("years of w")
    with pytest.raises(UserError, match="holds other files"):
        ComparisonStore(tmp_path).check(plan())


def test_a_single_run_is_an_ordinary_run_in_a_folder_of_its_own(tmp_path):
    store = ComparisonStore(tmp_path)
    assert store.run_folder(0, "semi") == tmp_path / "repeat_01" / "semi"
    assert store.run_folder(11, "semi") == tmp_path / "repeat_12" / "semi"
    assert RunStore(store.run_folder(0, "semi")).folder != store.log_path(0, "semi")
