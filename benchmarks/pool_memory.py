"""Whether memory stays flat while a pool is scored, and whether a killed scoring is begun anew.

python benchmarks/pool_memory.py
python benchmarks/pool_memory.py --images 300 --every 50

Two iterations of `mrcnn-al train` on toy images, with a network so small that they end in some
minutes. In the first, memory is looked at all along the scoring. In the second, the process is
killed (SIGKILL) in the middle of the scoring and the run resumed. Prints one JSON line: MiB of
resident memory after so many images, the largest deviation from that after the first `--every`
images, and how many images were scored before and after the kill, and twice.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

PROGRAM = (sys.executable, "-c", "from mrcnn_al.cli.main import main; main()")
SETTINGS = (
    *("top_down_pyramid_size=16", "rpn_channels=16", "fpn_classif_fc_layers_size=64"),
    *("mask_head_channels=8", "mask_head_convolutions=1", "pre_nms_limit=100"),
    *("post_nms_rois_training=40", "post_nms_rois_inference=20", "train_rois_per_image=16"),
    *("max_gt_instances=20", "detection_max_instances=5", "output_std=null"),
)
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
LABELLED = 8
SECONDS_BETWEEN_LOOKS = 0.02


@click.command()
@click.option("--images", default=5000, show_default=True, help="Of the pool.")
@click.option("--size", default=128, show_default=True, help="Of an image, pixels.")
@click.option("--passes", default=2, show_default=True, help="Stochastic passes over each image.")
@click.option("--every", default=500, show_default=True, help="Images between two figures.")
@click.option("--out", type=click.Path(), help="Folder for all files.  [default: a temporary one]")
def main(images, size, passes, every, out):
    """Measures with the command line, from outside."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(out or temporary)
        data = make_data(folder / "data", images, size)
        shutil.rmtree(folder / "run", ignore_errors=True)
        command = train_command(data, folder / "run", size, passes)
        first, second = (folder / "run" / f"iteration_{number:03d}" for number in (1, 2))
        begin = time.perf_counter()
        with subprocess.Popen(command, **QUIET) as process:
            try:
                looks = watch(process, first, images)
                half = (images - LABELLED) // 2
                watch(process, second, half)
            finally:
                process.kill()
        kept = (second / "scored.jsonl").read_bytes()
        done = resume(command, second)
    before = whole_lines(kept)
    click.echo(
        json.dumps(
            {"images": images, "size": size, "passes": passes}
            | memory(looks, every)
            | {
                "killed_after": len(before),
                "scored_after_resuming": len(done["lines"]) - len(before),
                "kept": done["lines"][: len(before)] == before,
                "scored_twice": len(done["lines"]) - len({image_id(s) for s in done["lines"]}),
                "not_scored": len(done["scores"] - {image_id(s) for s in done["lines"]}),
            }
            | {"seconds": round(time.perf_counter() - begin), "cores": os.cpu_count()}
        )
    )


def make_data(folder, images, size):
    """A COCO folder: a pool for training and the images held out of it, and a small test set."""
    from mrcnn_al.datasets.toy import generate_toy

    # A tenth is held out for validation.
    counts = {"train": next(n for n in range(images, 2 * images + 99) if pool(n) >= images)}
    counts["val"] = 4
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for seed, (part, count) in enumerate(counts.items()):
        annotations = folder / "annotations" / f"instances_{part}.json"
        if annotations.exists():
            continue
        made = folder / f"made-{part}"
        generate_toy(made, seed, count, size)
        shutil.rmtree(folder / part, ignore_errors=True)
        (made / "images").rename(folder / part)
        (made / "annotations" / "instances.json").rename(annotations)
        shutil.rmtree(made)
    return folder


def pool(count):
    """Unlabelled images of so many for training."""
    return count - round(count / 10) - LABELLED


def train_command(data, out, size, passes):
    """A run of two iterations that scores nearly the whole pool in each."""
    settings = (*SETTINGS, f"image_min_dim={size}", f"image_max_dim={size}")
    return [
        *(*PROGRAM, "train", "--data", str(data), "--out", str(out), "--resume"),
        *("--strategy", "semi", "--pseudo-threshold", "0", "--weights", "none"),
        *("--labelled", f"{LABELLED}", "--batch", f"{LABELLED}", "--iterations", "2"),
        *("--epochs", "1", "--steps-per-epoch", "2", "--images-per-batch", "2"),
        *("--passes", f"{passes}", "--min-confidence", "0"),
        *(part for setting in settings for part in ("--set", f"model.{setting}")),
    ]


def watch(process, iteration, images):
    """Pairs of images scored so far and bytes of resident memory, until so many are scored."""
    looks, journal = [], iteration / "scored.jsonl"
    while process.poll() is None and not journal.exists():
        time.sleep(SECONDS_BETWEEN_LOOKS)
    count = 0
    with journal.open("rb") as file:
        while process.poll() is None and count < images:
            count += file.read().count(b"\n")
            looks.append((count, resident(process.pid)))
            time.sleep(SECONDS_BETWEEN_LOOKS)
    if count < images:
        raise click.ClickException(f"the run ended after {count} images: {process.returncode}")
    return looks


def resident(pid):
    """Bytes of memory in use by a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def resume(command, iteration):
    """Lets the run end; the lines of its scores as they were added, and whom it scored."""
    # The file is deleted when all is scored, but not for who has it open.
    with (iteration / "scored.jsonl").open("rb") as file:
        subprocess.run(command, **QUIET, check=True)
        lines = whole_lines(file.read())
    scores = (iteration / "scores.csv").read_text(encoding="utf-8").splitlines()[1:]
    return {"lines": lines, "scores": {line.split(",")[0] for line in scores}}


def whole_lines(content):
    return [line for line in content.splitlines(keepends=True) if line.endswith(b"\n")]


def image_id(line):
    return json.loads(line)["image_id"]


def memory(looks, every):
    """MiB at each multiple of `every`, and how far it ever was from the first of them."""
    shown = range(every, looks[-1][0] + 1, every)
    mib = {count: next(b for c, b in looks if c >= count) / 2**20 for count in shown}
    base = mib[every]
    later = [value / 2**20 - base for count, value in looks if count >= every]
    return {
        "resident_mib": {count: round(value, 1) for count, value in mib.items()},
        "largest_deviation_mib": round(max(later, key=abs), 1),
    }


if __name__ == "__main__":
    main()
