"""How far each phase of inference and of a training step is from the machine's peak.

python benchmarks/phases.py
python benchmarks/phases.py --size 1024 --classes 81 --precision bfloat16

The peak is that of a multiplication of two matrices of 2048 x 2048, taken in turn with the phases
in the same precision. Prints one JSON line: of each phase medians in seconds, GFLOP of the
convolutions and matrix products in its program, GFLOP/s, and their share of the peak; by processor
time too, which says more on a machine that has other work to do. Runs on TensorFlow.
"""

import json
import math
import os
from functools import partial

import click
import numpy as np
from interleaved import in_turn, medians
from sides import environment, make_batch, make_model, prepare_training

SIDE = 2048
_FIRST_TURNED = {"MatMul": "transpose_a", "BatchMatMulV2": "adj_x"}


@click.command()
@click.option("--size", default=512, show_default=True, help="Sides of the images, pixels.")
@click.option("--classes", default=2, show_default=True, help="With the background.")
@click.option("--proposals", default=1000, show_default=True)
@click.option("--detections", default=100, show_default=True)
@click.option("--images", default=2, show_default=True, help="Of a training step.")
@click.option("--rois", default=200, show_default=True, help="An image, a quarter positive.")
@click.option("--precision", default="float32", show_default=True)
@click.option("--threads", default=os.cpu_count(), show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--training/--no-training", default=True, show_default=True)
def main(rounds, training, **settings):
    """Measures on an image of noise and an untrained network."""
    os.environ.update(environment(settings))
    import tensorflow as tf

    settings |= {"objects": max(2, settings["rois"] // 2), "passes": 1}
    model = make_model(settings)
    matrix = tf.cast(tf.random.normal((SIDE, SIDE)), settings["precision"])
    tasks, flops = inference_phases(model, settings)
    tasks["peak"] = partial(tf.function(tf.matmul, autograph=False), matrix, matrix)
    flops["peak"] = 2 * SIDE**3
    if training:
        more, counted = training_phases(model, settings)
        tasks, flops = tasks | more, flops | counted
    times = in_turn(tasks, rounds)
    if training:
        split_training(times, flops)
    rows = medians(times)
    # A peak is what was reached once; a median would let other work on the machine lower it.
    best = {"seconds": 0, "processor_seconds": 1}
    peak = {
        kind: flops["peak"] / min(pair[i] for pair in times["peak"]) for kind, i in best.items()
    }
    result = {name: rated(row, flops.get(name, 0), peak) for name, row in rows.items()}
    about = {"settings": settings, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    click.echo(json.dumps({"phases": result, **about}))


def rated(row, flops, peak):
    """A row of seconds with GFLOP, GFLOP/s and shares of the peak."""
    if not flops:
        return row
    return row | {
        "gflop": round(flops / 1e9, 2),
        "gflop_per_second": round(flops / row["seconds"] / 1e9, 1),
        "of_peak": round(flops / row["seconds"] / peak["seconds"], 3),
        "of_peak_by_processor_time": round(
            flops / row["processor_seconds"] / peak["processor_seconds"], 3
        ),
    }


def inference_phases(model, settings):
    """Tasks and operations of the steps from an image to full-size masks."""
    import tensorflow as tf
    from made_up import make_image

    from mrcnn_al.ops.images import fit_image

    config, inference = model.config, model.inference
    molded, geometry = fit_image(make_image(settings["size"]), config)
    size, images = molded.shape[:2], tf.constant(molded[None])
    window = tf.constant(geometry.norm_window()[None])

    def pool(*pyramid_and_rois):
        *pyramid, rois = pyramid_and_rois
        return model.pool_batch(pyramid, rois, size, config.pool_size)

    def head(pooled):
        hidden = model.classifier_head.before_dropout(pooled)
        return hidden, *model.classifier_head.after_dropout(hidden)

    pyramid, look = program(model.pyramid, images)
    logits_deltas, propose = program(lambda *levels: model.region_proposals(levels), *pyramid)
    rois, suppress = program(lambda *x: model.proposals(*x, size, True), *logits_deltas)
    pooled, align = program(pool, *pyramid, rois)
    (hidden, *_), classify = program(head, pooled)
    hidden = tf.reshape(hidden, (1, -1, hidden.shape[-1]))
    found, refine = program(
        lambda *x: inference.classify_step(*x, np.float32(0)), rois, hidden, window
    )
    boxes, class_ids = tf.reshape(found[0], (-1, 4)), tf.reshape(found[1], (-1,))
    masks, mask = program(
        lambda *x: inference.mask_step(x[:5], *x[5:]),
        *pyramid,
        boxes,
        tf.zeros_like(class_ids),
        class_ids,
    )
    arrays = [x.numpy() for x in (boxes, class_ids, found[2][0], found[3][0], masks)]
    programs = {
        "backbone_and_pyramid": look,
        "rpn": propose,
        "proposals": suppress,
        "roi_align": align,
        "classifier_head": classify,
        "last_layers_and_detections": refine,
        "mask_head": mask,
    }
    tasks = {name: run for name, (run, _) in programs.items()}
    tasks["pasting"] = lambda: inference.to_image(*arrays, geometry)
    return tasks, {name: flops for name, (_, flops) in programs.items()}


def training_phases(model, settings):
    """Tasks and operations of the forward pass, that with the backward pass, and a whole step."""
    import tensorflow as tf

    training = prepare_training(model, settings)
    batch = {
        name: tf.constant(rows) for name, rows in make_batch(model, training, settings).items()
    }
    names, values = list(batch), list(batch.values())
    variables = [variable.value for variable in model.trainable_variables]

    def losses(*rows):
        found = model(dict(zip(names, rows, strict=True)), training=True)
        return model.compute_loss(y_pred=found)

    def gradients(*rows):
        with tf.GradientTape() as tape:
            loss = losses(*rows)
        return [g for g in tape.gradient(loss, variables) if g is not None]

    _, (forward, forward_flops) = program(losses, *values)
    _, (both, both_flops) = program(gradients, *values)
    tasks = {
        "forward": forward,
        "forward_backward": both,
        "step": lambda: model.train_on_batch(batch, return_dict=True),
    }
    flops = {"forward": forward_flops, "forward_backward": both_flops, "step": both_flops}
    return tasks, flops


def split_training(times, flops):
    """Adds what the backward pass and the update take, by difference."""
    for name, whole, part in (
        ("backward", "forward_backward", "forward"),
        ("update", "step", "forward_backward"),
    ):
        times[name] = [
            tuple(max(0.0, a - b) for a, b in zip(more, less, strict=True))
            for more, less in zip(times[whole], times[part], strict=True)
        ]
    flops["backward"] = flops["forward_backward"] - flops["forward"]


def program(function, *arguments):
    """What a function gives, and (a task that runs it, its operations)."""
    import tensorflow as tf

    compiled = tf.function(function, autograph=False)
    graph = compiled.get_concrete_function(*arguments).graph
    return compiled(*arguments), (partial(compiled, *arguments), count_flops(graph))


def count_flops(graph):
    """Two for each multiplication and its addition, of convolutions and matrix products."""
    total = 0
    for operation in graph.get_operations():
        shapes = [tensor.shape for tensor in operation.inputs]
        result = operation.outputs[0].shape if operation.outputs else None
        if operation.type == "Conv2D":
            total += 2 * math.prod(result) * math.prod(shapes[1][:3])
        elif operation.type == "DepthwiseConv2dNative":
            total += 2 * math.prod(result) * math.prod(shapes[1][:2])
        elif operation.type == "Conv2DBackpropInput":
            total += 2 * math.prod(shapes[2]) * math.prod(shapes[1][:3])
        elif operation.type == "Conv2DBackpropFilter":
            total += 2 * math.prod(shapes[2]) * math.prod(result[:3])
        elif operation.type in ("MatMul", "BatchMatMulV2"):
            columns = operation.get_attr(_FIRST_TURNED[operation.type])
            total += 2 * math.prod(result) * shapes[0][-2 if columns else -1]
    return total


if __name__ == "__main__":
    main()
