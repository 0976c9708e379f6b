"""How long it takes until help is printed, and until the first training step is done.

python benchmarks/start.py
python benchmarks/start.py --rounds 1 --weights none

Every measurement is of a fresh process; `cold` ones find no bytecode, and as few of the files in
memory as other processes allow. Prints one JSON line: medians of the rounds, which are
interleaved, in seconds on the clock and of the processor, the latter for a machine that is not
quiet. `first_step` is the time from the start of the process; of its parts, `first step` is
tracing, compiling and one step, and `second step`, which does not count, one step alone.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

SCRIPT = Path(sys.executable).parent / "mrcnn-al"
COMMANDS = ("train", "compare", "reproduce", "evaluate", "predict", "report", "datasets", "weights")
PARTS = (
    *("command line", "data", "imports", "model", "weights", "preparation"),
    *("first step", "second step"),
)
# The command line, with a look at the clock before and after what counts, up to two steps.
TIMED = """
import json, os, sys, time

begin, result, *arguments = sys.argv[1:]
marks = [["begin", float(begin), 0.0]]

def mark(name):
    marks.append([name, time.monotonic(), time.process_time()])

def timed(owner, attribute, name, static=False):
    function = getattr(owner, attribute)

    def call(*given, **options):
        mark("before " + name)
        value = function(*given, **options)
        mark("after " + name)
        if sum(mark[0] == "after step" for mark in marks) == 2:
            with open(result, "w") as file:
                json.dump(marks, file)
            os._exit(0)
        return value

    setattr(owner, attribute, staticmethod(call) if static else call)

from mrcnn_al.cli import main, train
from mrcnn_al.datasets import subsets

timed(subsets, "open_subset", "data")
import_backend = train.import_backend

def import_and_time(config):
    import_backend(config)
    from mrcnn_al.learners.mask_rcnn import MaskRCNNLearner
    from mrcnn_al.loop import ActiveLearning
    from mrcnn_al.training import devices

    timed(ActiveLearning, "__init__", "learning")
    timed(MaskRCNNLearner, "make_model", "model", static=True)
    timed(MaskRCNNLearner, "load_start_weights", "weights")
    timed(devices, "train_step", "step")

train.import_backend = import_and_time
sys.argv = ["mrcnn-al", *arguments]
main.main()
"""


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--preset", default="cpu", show_default=True)
@click.option("--weights", default="imagenet", show_default=True, help="To start from.")
@click.option("--cold/--no-cold", default=True, show_default=True)
def main(rounds, preset, weights, cold):
    """Measures the command line on the toy images, which are made beforehand."""
    helps = {name: [] for name in ("", *COMMANDS)}
    starts = {name: [] for name in ("warm", "cold")[: 1 + cold]}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        options = ["--subset", "toy", "--preset", preset, "--weights", weights]
        # Makes the images and the bytecode.
        first_steps(folder, options, {})
        for number in range(rounds):
            for name, found in helps.items():
                found.append(alone([SCRIPT, *filter(None, [name]), "--help"]))
            for kind, found in starts.items():
                environment = {}
                if kind == "cold":
                    environment = {"PYTHONPYCACHEPREFIX": str(folder / f"bytecode-{number}")}
                    forget_files()
                found.append(first_steps(folder, options, environment))
    click.echo(
        json.dumps(
            {"preset": preset, "rounds": rounds}
            | {"help": {f"{n} --help".strip(): medians(both, "") for n, both in helps.items()}}
            | {"first_step": {kind: summary(parts) for kind, parts in starts.items()}}
            | {"backend": os.environ.get("KERAS_BACKEND", "tensorflow"), "cores": os.cpu_count()}
        )
    )


def alone(command):
    """Seconds on the clock and of the processor that a command takes."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"": (seconds, processor(after) - processor(before))}


def processor(usage):
    return usage.ru_utime + usage.ru_stime


def first_steps(folder, options, environment):
    """Seconds of each part of a training up to its second step, on the clock and the processor."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        result = Path(out) / "marks.json"
        command = [sys.executable, "-c", TIMED, repr(time.monotonic()), result, "train", *options]
        command += ["--cache", folder / "cache", "--out", Path(out) / "run"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        done = subprocess.run(command, env=os.environ | environment, check=False, **quiet)
        if not result.exists():
            raise click.ClickException(f"the training ended before its second step: {done.stderr}")
        marks = json.loads(result.read_text())
    names = [name for name, *_ in marks]
    times = [values for _, *values in marks]

    def between(begin, end):
        pair = times[names.index(begin)], times[names.index(end)]
        return tuple(e - b for b, e in zip(*pair, strict=True))

    learning = between("before learning", "before step")
    model = between("before model", "after model")
    weights = between("before weights", "after weights")
    second = tuple(e - b for b, e in zip(times[-2], times[-1], strict=True))
    return {
        "command line": between("begin", "before data"),
        "data": between("before data", "after data"),
        "imports": between("after data", "before learning"),
        "model": model,
        "weights": weights,
        "preparation": tuple(a - m - w for a, m, w in zip(learning, model, weights, strict=True)),
        "first step": between("before step", "after step"),
        "second step": second,
    }


def forget_files():
    """Asks the system to drop from memory what it holds of the installed packages' files."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in Path(json.__file__).parents[1], *map(Path, sys.path):
        for file in path.rglob("*") if path.is_dir() else ():
            if file.suffix in (".py", ".pyc", ".so") or ".so." in file.name:
                handle = os.open(file, os.O_RDONLY)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(handle)


def summary(rounds):
    """Medians of the time to the end of the first step, and of its parts."""
    whole = [{"": tuple(map(sum, zip(*(r[p] for p in PARTS[:-1]), strict=True)))} for r in rounds]
    return medians(whole, "") | {"parts": {part: medians(rounds, part) for part in PARTS}}


def medians(rounds, part):
    seconds, processor_seconds = zip(*(one[part] for one in rounds), strict=True)
    return {
        "seconds": round(statistics.median(seconds), 3),
        "processor_seconds": round(statistics.median(processor_seconds), 3),
    }


if __name__ == "__main__":
    main()
