"""Real comparisons, as small as they can be: shared or not, killed or not, the end is the same."""

import contextlib
import json
import signal
import threading
import time

import pytest
from tiny_run import call, differences, read, run, start

from mrcnn_al.comparison.plan import Arm, Plan
from mrcnn_al.comparison.results import read_results
from mrcnn_al.comparison.runner import RunsFailed, run_plan
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.errors import UserError
from mrcnn_al.run_store import RunStore

pytestmark = pytest.mark.slow

# Of a learner that starts in a moment and finds something.
SETTINGS = {
    "run": {
        "learner": "quick",
        "iterations": 2,
        "labelled": 4,
        "scale": 16.0,
        "weights": "none",
    },
    "training": {"epochs": 4, "steps_per_epoch": 5, "images_per_batch": 2},
    "sampling": {"passes": 2, "min_confidence": 0.0},
}
ARMS = ("random", "mask", "semi")
# What is there when the comparison is killed, how, and with how many repeats it was asked for.
KILLS = (
    ("repeat_01/first/iteration_001/weights.h5", signal.SIGKILL, 1),
    ("repeat_01/semi/iteration_001/scores.csv", signal.SIGTERM, 1),
    ("repeat_02/*/iteration_001/metrics.json", signal.SIGINT, 2),
)


def plan(repeats=2, **others) -> Plan:
    """As the options below mean it."""
    own = {"random": {}, "mask": {}, "semi": {"pseudo_threshold": 1000}}
    arms = [Arm(name, {"strategy": {"name": name, **own[name]}}) for name in ARMS]
    given = {"settings": {**SETTINGS, "strategy": {"batch": 4}}, **others}
    full = {"training": {"epochs": 9}}
    return Plan("toy", "cpu", tuple(arms), repeats, seed=3, full_settings=full, **given)


def options(out, cache, repeats):
    given = {**SETTINGS, "strategy": {"batch": 4, "pseudo_threshold": 1000}}
    fields = [
        f"{section}.{name}={value}"
        for section, values in given.items()
        for name, value in values.items()
    ]
    return (
        *("compare", "--strategies", ",".join(ARMS), "--out", out, "--cache", cache),
        *("--repeats", repeats, "--workers", 2, "--subset", "toy", "--seed", 3),
        *("--full-epochs", 9),
        *(part for field in fields for part in ("--set", field)),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("comparison")


@pytest.fixture(scope="module")
def apart(folder):
    """One run after another, nothing shared, not interrupted."""
    run_plan(plan(), folder / "apart", workers=1, cache=folder / "cache", share=False)
    return folder / "apart"


def is_free(run_folder) -> bool:
    try:
        with RunStore(run_folder).lock():
            return True
    except UserError:
        return False


def kill_at(out, cache, moment, number, repeats):
    """Starts, waits for a file, kills; returns how it ended and the runs begun."""
    process = start(*map(str, options(out, cache, repeats)))
    try:
        while process.poll() is None and not list(out.glob(moment)):
            time.sleep(0.01)
        begun = [path.parent for path in out.glob("repeat_*/*/config.yaml")]
        assert process.poll() is None
        busy = [path for path in begun if not is_free(path)]
        refused = run(*options(out, cache, repeats)) if number == signal.SIGTERM else None
        process.send_signal(number)
        return process.wait(60), busy, refused
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def killed(folder):
    """Two runs at a time, the first iteration shared, killed three times; then finished."""
    out, cache, ends = folder / "killed", folder / "cache", []
    for moment, number, repeats in KILLS:
        status, busy, refused = kill_at(out, cache, moment, number, repeats)
        if number == signal.SIGKILL:
            # Nobody could tell the runs: they notice by themselves.
            deadline = time.monotonic() + 60
            while not all(map(is_free, busy)) and time.monotonic() < deadline:
                time.sleep(0.05)
        ends.append((status, busy, [path for path in busy if not is_free(path)], refused))
    done = run(*options(out, cache, 2))
    assert done.returncode == 0, done.stderr
    return out, ends, done


@pytest.fixture(scope="module")
def folders(apart, killed):
    return apart, killed[0]


def test_the_command_line_means_the_plan(folders):
    for folder in folders:
        assert ComparisonStore(folder).read_plan() == plan()


def test_no_run_goes_on_without_the_comparison(killed):
    _, ends, _ = killed
    assert all(busy for _, busy, _, _ in ends)
    assert [still for _, _, still, _ in ends] == [[], [], []]
    assert ends[0][0] == -signal.SIGKILL
    assert ends[1][0] == 128 + signal.SIGTERM
    assert ends[2][0] == 1


def test_a_second_one_at_a_time_is_refused(killed):
    refused = killed[1][1][3]
    assert refused.returncode == 2
    assert "in use by another process" in refused.stderr


def test_killed_and_shared_ends_as_neither(folders):
    """Every file of every run but times and pictures, with other numbers of workers, too."""
    apart, killed = folders
    for repeat in ("repeat_01", "repeat_02"):
        assert {path.name for path in (apart / repeat).iterdir() if path.is_dir()} == {
            *ARMS,
            "full-data",
        }
        for name in (*ARMS, "full-data"):
            assert differences(apart / repeat / name, killed / repeat / name) == []
    assert (apart / "summary.json").read_bytes() == (killed / "summary.json").read_bytes()


def test_the_first_iteration_was_trained_once(killed):
    folder = killed[0] / "repeat_02"
    paths = [folder / name / "iteration_001" / "weights.h5" for name in ("first", *ARMS)]
    assert len({path.stat().st_ino for path in paths}) == 1


def test_the_pool_was_scored_once_by_the_first_model(killed):
    """And where the strategy asks for no scores it has none, nor the time they took."""
    folder = killed[0] / "repeat_02"
    known = "[1] 12 images are scored already"
    for name in ("first", *ARMS):
        assert (known in (folder / f"{name}.log").read_text()) == (name in ("mask", "semi"))
    seconds = {}
    for name in ARMS:
        seconds[name] = RunStore(folder / name).iteration(1).read_metrics()["seconds"]
    first = RunStore(folder / "first").iteration(1).read_metrics()["seconds"]
    assert seconds["mask"]["score"] >= first["score"] > 0
    assert "score" not in seconds["random"]


def test_there_is_something_to_compare(folders):
    """Otherwise the tests above would hold for nothing."""
    results = read_results(folders[0])
    assert results.complete(0)
    assert results.complete(1)
    seeds = {curves[0].AP for curves in results.curves["semi"]}
    assert len(seeds) == 2
    assert max(seeds) > 0.01
    random, semi = (results.curves[name][0] for name in ("random", "semi"))
    assert random[0] == semi[0]
    assert random[1].AP != semi[1].AP
    assert [point.labelled_images for point in semi] == [4, 8]
    assert {point.labelled_images for point in results.full} == {16}
    for name, phases in {"random": set(), "semi": {"score"}, "full-data": set()}.items():
        assert {"train", "evaluate", *phases} <= set(results.seconds[name][1])


def test_what_the_terminal_shows(killed):
    out, _, done = killed
    assert "repeat 2 semi [2/2]: 8 images, " in done.stdout
    assert "AP  " in done.stdout
    assert "area under AP" in done.stdout
    assert f"report: {out / 'report.html'}" in done.stdout
    assert "iterations" in done.stderr
    page = (out / "report.html").read_text()
    assert "repeat_02/full-data/report.html" in page
    assert "Where the time went" in page
    assert read(out / "summary.json")["repeats"] == [1, 2]


def test_a_finished_comparison_is_not_done_again(folder, killed):
    out = killed[0]
    before = {path: path.stat().st_mtime_ns for path in out.glob("repeat_*/*/*")}
    call(*options(out, folder / "cache", 2))
    assert {path: path.stat().st_mtime_ns for path in out.glob("repeat_*/*/*")} == before


def test_another_plan_is_refused(folder, killed):
    out = killed[0]
    with pytest.raises(UserError, match="repeats: 2, not 1"):
        call(*options(out, folder / "cache", 1))
    with pytest.raises(UserError, match=r"settings\.strategy\.batch: 4, not 5"):
        call(*options(out, folder / "cache", 2), "--batch", "5", "--set", "strategy.batch=5")


def test_the_report_can_be_written_again(killed):
    out = killed[0]
    before = (out / "summary.json").read_bytes()
    for name in ("report.html", "summary.json"):
        (out / name).unlink()
    call("report", out)
    assert (out / "summary.json").read_bytes() == before
    assert (out / "report.html").is_file()


@contextlib.contextmanager
def in_use(folder, made, lines):
    """Another process, here a thread, works on a run until it is told that somebody waits."""
    with ComparisonStore(folder).opened(made):
        config = made.config(made.arm("random")).to_yaml()
        store = RunStore.create(ComparisonStore(folder).run_folder(0, "random"), config)
    taken = threading.Event()

    def work():
        with store.lock():
            taken.set()
            deadline = time.monotonic() + 120
            while not any("waits" in line for line in lines) and time.monotonic() < deadline:
                time.sleep(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    taken.wait()
    yield
    thread.join()


def test_a_run_that_fails_is_told_and_the_others_go_on(folder):
    weights = {"run": {"weights": str(folder / "absent.h5")}}
    arms = (
        Arm("broken", {"strategy": {"name": "random"}, **weights}),
        Arm("mask", {"strategy": {"name": "mask"}, **weights}),
        Arm("random", {"strategy": {"name": "random"}}),
    )
    settings = {**SETTINGS, "run": {**SETTINGS["run"], "iterations": 1}}
    made = Plan("toy", "cpu", arms, 1, seed=3, settings=settings, full_data=False)
    lines = []
    with in_use(folder / "failing", made, lines), pytest.raises(RunsFailed) as raised:
        run_plan(made, folder / "failing", 2, folder / "cache", lines.append)
    assert any("repeat 1 random waits: The run" in line for line in lines)
    log = folder / "failing" / "repeat_01" / "first.log"
    assert f"repeat 1 first: exit status 2, see {log}" in str(raised.value)
    assert "repeat 1 mask: not begun, because repeat 1 first failed" in str(raised.value)
    assert "3 of 4 runs are not finished" in str(raised.value)
    assert any("absent.h5 does not exist" in line for line in lines)
    results = read_results(folder / "failing")
    assert len(results.curves["random"][0]) == 1
    assert not results.complete(0)
    assert json.loads((folder / "failing" / "summary.json").read_text())["repeats"] == []


def test_settings_changed_behind_its_back_are_refused(folder, killed, tmp_path):
    run_folder = ComparisonStore(tmp_path).run_folder(0, "semi")
    text = plan().config(plan().arm("random"), 0).to_yaml()
    RunStore.create(run_folder, text)
    (tmp_path / "comparison.yaml").write_text(plan(1).to_yaml())
    with pytest.raises(UserError, match="has other settings than the plan"):
        run_plan(plan(1, full_data=True), tmp_path, 3, folder / "cache", share=False)
