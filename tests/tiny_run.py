"""Runs so small that an iteration takes seconds, through the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mrcnn_al.cli.main import cli

PROGRAM = (sys.executable, "-c", "from mrcnn_al.cli.main import main; main()")
TINY_MODEL = (
    *("image_min_dim=64", "image_max_dim=64", "top_down_pyramid_size=16", "rpn_channels=16"),
    *("fpn_classif_fc_layers_size=64", "mask_head_channels=8", "mask_head_convolutions=1"),
    *("pre_nms_limit=100", "post_nms_rois_training=40", "post_nms_rois_inference=20"),
    *("train_rois_per_image=16", "max_gt_instances=20", "detection_max_instances=5"),
    *("output_std=null", "fill_with_negatives=false", "roi_positive_ratio=0.9"),
)
_COMMON = (
    *("--labelled", "4", "--batch", "4", "--iterations", "2", "--scale", "16"),
    # A seed whose hardly trained model finds objects.
    *("--seed", "2", "--epochs", "1", "--images-per-batch", "2", "--learning-rate", "0.0005"),
    *("--passes", "2", "--min-confidence", "0", "--weights", "none"),
)
POOL = 16
TINY = (*_COMMON, *(part for setting in TINY_MODEL for part in ("--set", f"model.{setting}")))
TINY_UNET = (
    *(*_COMMON, "--learner", "unet"),
    *("--set", "unet.image_min_dim=64", "--set", "unet.image_max_dim=64"),
    *("--set", "unet.filters=4", "--set", "unet.depth=2", "--set", "training.warmup_steps=0"),
)
# For what is about files and processes: see tests/plugin.
QUICK = (*_COMMON, "--learner", "quick", "--epochs", "3", "--steps-per-epoch", "5")
PSEUDO_THRESHOLD = 1000
SEMI = ("--pseudo-threshold", str(PSEUDO_THRESHOLD))


def without(options: tuple[str, ...], *names: str) -> list[str]:
    """Options and their values, some of them left out."""
    pairs = zip(options[::2], options[1::2], strict=True)
    return [part for pair in pairs if pair[0] not in names for part in pair]


def environment() -> dict[str, str]:
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "200"}


def run(*arguments, **options) -> subprocess.CompletedProcess:
    """Runs a command to its end, whatever that is, in a process of its own."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=600,
        **options,
    )


def start(*arguments) -> subprocess.Popen:
    """Starts a command whose output nobody wants."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
        # A shell lets what it runs in the background, these tests perhaps, ignore Ctrl-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def start_and_kill(out: Path, moments: Sequence[str], *arguments, seconds: float = 0.0) -> bool:
    """Kills a command when there is a new file; says whether there was something to kill.

    Args:
        out: folder of the run.
        moments: patterns of the file that is waited for, where there is none yet, and of those
            that come after it; "" waits for none.
        *arguments: of the command.
        seconds: how much later.
    """
    new = [moment for moment in moments if moment and not list(out.glob(moment))]
    wait = moments[0] in new
    process = start(*arguments)
    try:
        while wait and process.poll() is None and not any(any(out.glob(m)) for m in new):
            time.sleep(0.002)
        time.sleep(seconds)
        return process.poll() is None
    finally:
        process.kill()
        process.wait()


def call(*arguments) -> None:
    """A command in this process, which spares its start.

    Raises:
        UserError: as the command does.
    """
    cli.main([str(argument) for argument in arguments], "mrcnn-al", standalone_mode=False)


def train(out: Path, cache: Path, *options, tiny=QUICK) -> Path:
    """A tiny run in this process; with pseudo-labels unless the options name a strategy."""
    semi = () if "--strategy" in options else SEMI
    call("train", "--out", out, "--cache", cache, *tiny, *semi, *options)
    return out


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def contents(folder: Path) -> dict[str, object]:
    """What a run holds but for times and what shows them: pictures and the report."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or path.suffix == ".html" or name.startswith((".lock", "figures/")):
            continue
        if path.name == "metrics.json":
            files[name] = {k: v for k, v in read(path).items() if k != "seconds"}
        elif path.name in ("history.csv", "curve.csv"):
            files[name] = without_seconds(path.read_text(encoding="utf-8"))
        else:
            files[name] = path.read_bytes()
    return files


def without_seconds(table: str) -> list[list[str]]:
    lines = [line.split(",") for line in table.splitlines()]
    kept = [index for index, name in enumerate(lines[0]) if "seconds" not in name]
    return [[line[index] for index in kept] for line in lines]


def differences(folder: Path, other: Path, ignore=()) -> list[str]:
    """The names of files that are not in both folders with the same content."""
    ours, theirs = contents(folder), contents(other)
    names = sorted(ours.keys() | theirs.keys())
    return [n for n in names if n not in ignore and ours.get(n) != theirs.get(n)]
