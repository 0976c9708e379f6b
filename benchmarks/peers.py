"""What inference and a training step cost here and with torchvision's Mask R-CNN, on a CPU.

pip install -e ".[bench]"
python benchmarks/peers.py
python benchmarks/peers.py --size 1024 --classes 81

Both networks are the ResNet-50 one of torchvision's maskrcnn_resnet50_fpn, untrained, with the
same number of proposals, detections, RoIs and positive RoIs; each runs in a process of its own
with the same number of threads, and they take turns. Sampling is compared with that in float32.
Prints one JSON line: medians in seconds, by the clock and of the processor, and ratios. Without
torch and torchvision there is nothing to compare with, and the line says so.
"""

import json
import os
from functools import partial

import click
from interleaved import Side, in_turn, medians, ratio
from sides import environment, make_ours, make_torchvision, torchvision_is_there

BARS = {"inference": 0.85, "training": 0.8}
BAR_BFLOAT16 = 0.6
TASKS = ("inference", "training", "sampling")


@click.command()
@click.option("--size", default=512, show_default=True, help="Sides of the images, pixels.")
@click.option("--classes", default=2, show_default=True, help="With the background.")
@click.option("--proposals", default=1000, show_default=True)
@click.option("--detections", default=100, show_default=True)
@click.option("--passes", default=10, show_default=True)
@click.option("--sampled-detections", default=8, show_default=True)
@click.option("--images", default=2, show_default=True, help="Of a training step.")
@click.option("--rois", default=200, show_default=True, help="An image, a quarter positive.")
@click.option("--threads", default=os.cpu_count(), show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS), help="[default: all]")
@click.option("--precision", "precisions", multiple=True, default=("float32", "bfloat16"))
def main(tasks, precisions, rounds, sampled_detections, **settings):
    """Measures on images of noise."""
    if not torchvision_is_there():
        click.echo(json.dumps({"skipped": 'no torch and torchvision: pip install -e ".[bench]"'}))
        return
    # More objects than positive RoIs, so that each side finds as many as it may.
    settings |= {"objects": max(2, settings["rois"] // 2), "device": "cpu", "steps": 1}
    results = {}
    for task in tasks or TASKS:
        given = settings | ({"detections": sampled_detections} if task == "sampling" else {})
        results[task] = measure(task, given, precisions, rounds)
    about = {"settings": settings, "load": os.getloadavg()[0], "cores": os.cpu_count()}
    click.echo(json.dumps({**results, **about}))


def measure(task, settings, precisions, rounds):
    """One task on all sides, in turn."""
    makers = {"ours": make_ours}
    if task != "sampling":
        makers["torchvision"] = make_torchvision
    sides = {
        f"{name}_{precision}": Side(
            make, settings | {"precision": precision}, environment(settings)
        )
        for name, make in makers.items()
        for precision in precisions
    }
    runs = {name: partial(side.run, task) for name, side in sides.items()}
    times = in_turn(runs, rounds, clock=lambda run: run())
    for side in sides.values():
        side.close()
    peer = "ours_float32" if task == "sampling" else "torchvision_float32"
    bars = {"ours_float32": BARS.get(task), "ours_bfloat16": BAR_BFLOAT16}
    if task == "training":
        bars.pop("ours_bfloat16")
    return {
        "sides": {name: side.about | medians(times)[name] for name, side in sides.items()},
        f"to_{peer}": {
            name: ratio(times, name, peer, bars.get(name))
            for name in sides
            if name != peer and peer in sides
        },
    }


if __name__ == "__main__":
    main()
