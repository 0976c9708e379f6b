"""No COCO annotation file crashes, hangs or fills the memory: it is loaded, or refused."""

import json
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from amount import amount

CASES = amount("mutated annotation files", 500, 10_000)
WORKERS = 2
SECONDS_A_CASE = 5
MEGABYTES = 512
# As in conftest.py; whatever else warns is an error.
WARNINGS = ("-W", "error", "-W", "ignore:__array__ implementation:DeprecationWarning")

SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], str(Path(sys.argv[1]).parent)]
from test_fuzzing import work
work(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
"""


def work(folder: str, first: int, step: int) -> None:
    """Tries the cases that are `first` and every `step`-th after it, in a process of its own."""
    from coco_mutations import VALID, mutated, write_images

    folder = Path(folder)
    write_images(folder)
    path = folder / "annotations" / "instances.json"
    path.parent.mkdir()
    path.write_text(json.dumps(VALID))
    # Whatever is imported when it is needed counts as memory here, not in a case.
    assert examine(folder, False) == "loaded"
    allowed = _virtual_memory() + MEGABYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    outcomes = {"loaded": 0, "refused": 0, "partly": 0}
    for number in range(first, int(sys.argv[5]), step):
        (folder / "case").write_text(str(number))
        path.write_bytes(mutated(number))
        # Of processor time. The default action of this signal ends the process, even inside of C
        # code.
        signal.setitimer(signal.ITIMER_PROF, SECONDS_A_CASE)
        outcomes[examine(folder, skip_broken=number % 2 == 1)] += 1
        signal.setitimer(signal.ITIMER_PROF, 0)
    print(json.dumps(outcomes))


def examine(folder: Path, skip_broken: bool) -> str:
    """Opens a folder and reads everything in it; what became of it."""
    from mrcnn_al.datasets.own_data import open_own_dataset
    from mrcnn_al.errors import UserError

    try:
        dataset = open_own_dataset(folder, skip_broken)
    except UserError as error:
        message = str(error)
        message.encode()
        assert len(message) < 20_000
        assert "instances.json" in message
        return "refused"
    assert len(set(dataset.image_ids)) == len(dataset.image_ids) > 0
    # The names end in configurations, reports and on the terminal.
    "".join((*dataset.class_names, *dataset.skipped)).encode()
    outcome = "loaded"
    for image_id in dataset.image_ids:
        instances = dataset.load_instances(image_id)
        quick = dataset.annotations(image_id)
        height, width = dataset.size(image_id)
        assert (instances.height, instances.width) == (height, width)
        assert len(quick.areas) == dataset.instance_count(image_id) >= len(instances)
        assert all(1 <= number <= len(dataset.class_names) for number in quick.class_ids)
        covered = quick.areas > 0
        assert quick.areas[covered].tolist() == instances.areas().tolist()
        assert quick.class_ids[covered].tolist() == instances.class_ids.tolist()
        assert quick.crowd[covered].tolist() == instances.crowd.tolist()
        try:
            assert dataset.load_image(image_id).shape == (height, width, 3)
        except UserError:
            outcome = "partly"
    return outcome


def _virtual_memory() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def run_cases(folder: Path, count: int) -> dict[str, int]:
    def run(index: int) -> subprocess.CompletedProcess:
        own = folder / str(index)
        own.mkdir()
        arguments = (Path(__file__).parent, own, index, WORKERS, count)
        command = [sys.executable, "-X", "faulthandler", *WARNINGS, "-c", SCRIPT]
        return subprocess.run(
            [*command, *map(str, arguments)], capture_output=True, text=True, timeout=600
        )

    total: dict[str, int] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for index, done in enumerate(pool.map(run, range(WORKERS))):
            reached = folder / str(index) / "case"
            last = reached.read_text() if reached.exists() else "none"
            assert done.returncode == 0, f"case {last} ({done.returncode}): {done.stderr[-3000:]}"
            for name, times in json.loads(done.stdout).items():
                total[name] = total.get(name, 0) + times
    return total


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux counts it")
def test_mutated_annotation_files(tmp_path):
    outcomes = run_cases(tmp_path, CASES)
    print(outcomes)
    assert sum(outcomes.values()) == CASES
    # Neither is everything refused, nor nothing.
    assert outcomes["loaded"] > CASES / 10
    assert outcomes["refused"] > CASES / 3


def test_the_cases_are_all_different():
    from coco_mutations import mutated

    cases = {mutated(number) for number in range(1000)}
    assert len(cases) > 800
    assert mutated(5) == mutated(5)
