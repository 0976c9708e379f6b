import signal
import subprocess
import sys

import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.pool import PoolState
from mrcnn_al.run_store import RunStore

HOLD_LOCK = """
import sys, time
from mrcnn_al import files
from mrcnn_al.run_store import RunStore

store = RunStore.open(sys.argv[1])
with store.lock(), files.replacing(store.iteration(1).weights_path) as temporary:
    temporary.write_bytes(b"half a file")
    print("holding", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def store(tmp_path):
    return RunStore.create(tmp_path / "runs" / "first", "seed: 1\n")


def hidden_files(store):
    return sorted(path.name for path in store.folder.rglob(".*") if path.name != ".lock")


def test_a_created_run_can_be_opened(store):
    opened = RunStore.open(store.folder)
    assert opened.read_config() == "seed: 1\n"
    assert opened.folder == store.folder


def test_files_have_the_names_of_the_design(store):
    names = {path.relative_to(store.folder).as_posix() for path in vars(store).values()}
    assert names == {*(".", "config.yaml", "pool.json", "curve.csv", "report.html", "figures")}
    iteration = store.iteration(3)
    assert iteration.folder == store.folder / "iteration_003"
    assert iteration.weights_path.name == "weights.h5"
    assert iteration.history_path.name == "history.csv"


def test_a_run_is_not_overwritten(store):
    with pytest.raises(UserError, match=r"--resume.*--out"):
        RunStore.create(store.folder, "seed: 2\n")
    assert store.read_config() == "seed: 1\n"


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="--out"):
        RunStore.create(tmp_path, "")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be made"):
        RunStore.create(tmp_path / "file", "")


def test_a_start_that_was_killed_can_be_repeated(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / ".config.abcd1234.yaml").write_text("see")
    RunStore.create(tmp_path, "seed: 1\n")
    assert RunStore.open(tmp_path).read_config() == "seed: 1\n"
    assert not (tmp_path / ".config.abcd1234.yaml").exists()


def test_without_a_run_nothing_is_opened(tmp_path):
    with pytest.raises(UserError, match=r"no run in .*config\.yaml"):
        RunStore.open(tmp_path)


def test_the_pool_survives(store):
    state = PoolState(2, ("a",), ("b", "c"), ("c",))
    store.write_pool(state)
    assert store.read_pool() == state


def test_a_broken_pool_is_named(store):
    with pytest.raises(UserError, match=r"pool\.json does not exist"):
        store.read_pool()
    store.pool_path.write_text('{"iteration": 1}')
    with pytest.raises(UserError, match=r"pool\.json is broken"):
        store.read_pool()


def test_iterations_are_listed_in_order(store):
    for number in (10, 2, 1):
        store.iteration(number).write_metrics({})
    assert [iteration.number for iteration in store.iterations()] == [1, 2, 10]
    assert store.iterations()[2] == store.iteration(10)


def test_the_lock_is_exclusive_and_given_back(store):
    with store.lock():
        with pytest.raises(UserError, match="in use by another process"), store.lock():
            pass
        with pytest.raises(UserError, match="in use"), RunStore.open(store.folder).lock():
            pass
    with pytest.raises(KeyError), store.lock():
        raise KeyError
    with store.lock():
        pass


def test_a_killed_process_leaves_neither_its_lock_nor_half_files(store):
    command = [sys.executable, "-c", HOLD_LOCK, str(store.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "holding\n"
            with pytest.raises(UserError, match="in use by another process"), store.lock():
                pass
            assert len(hidden_files(store)) == 1
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL
    assert len(hidden_files(store)) == 1
    with store.lock():
        assert hidden_files(store) == []
    assert not store.iteration(1).weights_path.exists()


def test_only_half_written_files_of_the_run_are_removed(store):
    kept = [".notes.abcd1234.txt", ".gitignore", "metrics.abcd1234.json", ".pool.json"]
    gone = [".pool.abcd1234.json", ".curve.abcd1234.csv", ".report.00000000.html"]
    for name in kept + gone:
        (store.folder / name).touch()
    store.figures_folder.mkdir()
    (store.figures_folder / ".histogram.abcd1234.png").touch()
    store.iteration(2).folder.mkdir()
    (store.iteration(2).folder / ".checkpoint.abcd1234.npz").touch()
    with store.lock():
        assert all((store.folder / name).exists() for name in kept)
        assert not any((store.folder / name).exists() for name in gone)
        assert not list(store.figures_folder.iterdir())
        assert not list(store.iteration(2).folder.iterdir())


def test_an_unusable_folder_is_reported(store):
    store.folder.joinpath(".lock").unlink()
    store.folder.joinpath(".lock").mkdir()
    with pytest.raises(UserError, match="cannot be locked"), store.lock():
        pass
