"""Images a second on a GPU, of this package on JAX and of torchvision's Mask R-CNN.

pip install -e ".[bench]" "jax[cuda12]"
python benchmarks/gpu.py
python benchmarks/gpu.py --size 64 --proposals 40 --images 1 --rounds 1   # a try without a GPU

Both compute in bfloat16, torchvision by autocast and with its tensors channels-last; networks and
counts are those of peers.py. Each runs in a process of its own, and they take turns. torchvision
has no stochastic passes: the bar for sampling is one of its inferences for each pass. Prints one
JSON line: images a second, their ratios, how much the card had to do as nvidia-smi says, and the
share of a training's time in which it waited for a batch. What is not there is skipped by name.
"""

import json
import os
import shutil
import subprocess
from functools import partial

import click
from interleaved import Side, in_turn, medians
from sides import environment, make_ours, make_torchvision, torchvision_is_there

BARS = {"training": 1.5, "sampling": 5.0}
TASKS = ("inference", "sampling", "training")


@click.command()
@click.option("--size", "sizes", multiple=True, type=int, default=(512, 1024), show_default=True)
@click.option("--backend", default="jax", show_default=True, help="Of this package.")
@click.option("--classes", default=2, show_default=True, help="With the background.")
@click.option("--proposals", default=1000, show_default=True)
@click.option("--detections", default=100, show_default=True)
@click.option("--passes", default=10, show_default=True)
@click.option("--images", default=8, show_default=True, help="Of a training step.")
@click.option("--rois", default=200, show_default=True, help="An image, a quarter positive.")
@click.option("--steps", default=30, show_default=True, help="Of the epoch that shows waiting.")
@click.option("--threads", default=os.cpu_count(), show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS), help="[default: all]")
def main(sizes, backend, rounds, tasks, **settings):
    """Measures on images of noise."""
    skipped = {}
    if not torchvision_is_there():
        skipped["torchvision"] = 'no torch and torchvision: pip install -e ".[bench]"'
    if (card := shutil.which("nvidia-smi")) is None:
        skipped["gpu"] = "no nvidia-smi: this is the processor"
    settings |= {
        "objects": max(2, settings["rois"] // 2),
        "precision": "bfloat16",
        "channels_last": True,
        "device": "cuda" if card else "cpu",
    }
    found = {
        size: measure(tasks or TASKS, settings | {"size": size}, backend, rounds) for size in sizes
    }
    about = {"settings": settings, "rounds": rounds, "skipped": skipped}
    click.echo(json.dumps({"sizes": found, **about}))


def measure(tasks, settings, backend, rounds):
    """One size."""
    # JAX would take most of the card's memory at once.
    ours = environment(settings, backend) | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    sides = {"ours": Side(make_ours, settings, ours)}
    if torchvision_is_there():
        sides["torchvision"] = Side(make_torchvision, settings, environment(settings))
    result = {"sides": {name: side.about for name, side in sides.items()}}
    for task in tasks:
        runs = {name: partial(side.run, task) for name, side in sides.items() if task in side.tasks}
        times = medians(in_turn(runs, rounds, clock=lambda run: run()))
        images = settings["images"] if task == "training" else 1
        result[task] = {
            "images_a_second": {n: round(images / row["seconds"], 3) for n, row in times.items()},
            "utilisation": utilisation(runs["ours"]),
        }
    compare(result, settings["passes"])
    if "training" in tasks:
        result["training"]["waiting_share"] = round(sides["ours"].result("waiting"), 4)
    for side in sides.values():
        side.close()
    return result


def compare(result, passes):
    """Adds our rates by torchvision's, and the bars."""
    for task in TASKS:
        # torchvision samples by so many inferences.
        peer, times = ("inference", passes) if task == "sampling" else (task, 1)
        theirs = result.get(peer, {}).get("images_a_second", {}).get("torchvision")
        if task not in result or theirs is None:
            continue
        ratio = round(result[task]["images_a_second"]["ours"] / theirs * times, 3)
        result[task]["to_torchvision"] = ratio
        if task in BARS:
            result[task] |= {"bar": BARS[task], "met": ratio >= BARS[task]}


def utilisation(run):
    """Mean and highest per cent of a card while a task runs, and MiB in use; None without one."""
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--loop-ms=100"]
    command = [*query, "--format=csv,noheader,nounits", "--id=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        seconds = 0.0
        while seconds < 3:
            seconds += run()[0]
        watcher.terminate()
        rows = [line.split(",") for line in watcher.stdout.read().splitlines()[:-1]]
    busy, memory = zip(*((float(one), float(other)) for one, other in rows), strict=True)
    return {
        "mean": round(sum(busy) / len(busy), 1),
        "highest": max(busy),
        "memory_mib": max(memory),
    }


if __name__ == "__main__":
    main()
