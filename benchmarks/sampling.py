"""What T stochastic passes cost against one inference and against T whole inferences.

python benchmarks/sampling.py
python benchmarks/sampling.py --precision bfloat16
python benchmarks/sampling.py --preset cpu --data stage1_train.zip --weights nucleus.h5

Without weights an untrained ResNet-50 at 512 x 512 finds so many objects as it may, 8 as in COCO
and 45 as in images of nuclei; with them, what there is in test images of the Data Science Bowl.
Prints one JSON line: of each regime medians over images and rounds, in turn, in seconds; the
ratios and their bars.
"""

import json
import os
import statistics
from functools import partial

import click
from interleaved import in_turn, medians, ratio
from made_up import make_image
from sides import find_everything

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# By detections an image. Multiplications alone would give 1.6 to one inference at 8, and 0.33 to
# ten at 45.
BARS = {8: {"one_inference": 1.8}, 45: {"whole_inferences": 0.4}}


@click.command()
@click.option("--preset", default="nucleus", show_default=True)
@click.option("--precision", default="float32", show_default=True)
@click.option(
    "--detections", "regimes", multiple=True, type=int, default=(8, 45), show_default=True
)
@click.option("--data", help="stage1_train.zip or its folder.")
@click.option("--weights", help="Trained ones, of nuclei.")
@click.option("--passes", default=10, show_default=True)
@click.option("--images", default=3, show_default=True, help="With --data.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--size", default=256, show_default=True, help="Of a made-up image, pixels.")
def main(preset, precision, regimes, data, weights, passes, images, rounds, size):
    """Measures each regime."""
    if bool(data) != bool(weights):
        raise click.UsageError("--data and --weights go together.")
    from mrcnn_al import MaskRCNN, ModelConfig

    precisions = {"precision": precision, "precision_inference": None}
    if weights:
        model = MaskRCNN(ModelConfig.preset(preset, **precisions))
        model.load_weights(weights)
        found = {"trained": measure(model, pictures(data, images), 0.7, passes, rounds, {})}
    else:
        found = {}
        for count in regimes:
            config = ModelConfig.preset(preset, **precisions, detection_max_instances=count)
            bars = BARS.get(count, {}) if preset == "nucleus" else {}
            model = MaskRCNN(config)
            find_everything(model)
            found[count] = measure(model, [make_image(size)], 0.0, passes, rounds, bars)
    about = {"preset": preset, "precision": precision, "passes": passes}
    load = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    click.echo(json.dumps({**about, "regimes": found, **load}))


def pictures(data, count):
    """Test images of 256 x 256 pixels."""
    from mrcnn_al.datasets.subsets import open_subset

    subset = open_subset("dsb", data)
    square = [i for i in subset.test if subset.dataset.size(i) == (256, 256)]
    return [subset.dataset.load_image(image_id) for image_id in square[:count]]


def measure(model, images, confidence, passes, rounds, bars):
    """One regime."""
    inference = model.inference

    def once(image):
        inference.detect([image], confidence)

    def sampled(image):
        return inference.sample([image], passes, 0, min_confidence=confidence)

    def whole(image):
        for number in range(passes):
            inference.sample([image], 1, 0, first_pass=number, min_confidence=confidence)

    tasks = {"one_inference": once, "sampling": sampled, "whole_inferences": whole}
    times = {name: [] for name in tasks}
    for image in images:
        bound = {name: partial(task, image) for name, task in tasks.items()}
        for name, seconds in in_turn(bound, rounds).items():
            times[name] += seconds
    counts = [len(one.instances) for image in images for one in sampled(image)[0]]
    return {
        "detections_a_pass": statistics.mean(counts),
        **medians(times),
        **{
            f"sampling_to_{other}": ratio(times, "sampling", other, bars.get(other))
            for other in ("one_inference", "whole_inferences")
        },
    }


if __name__ == "__main__":
    main()
