"""What T stochastic passes cost against one inference and against T whole inferences.

python benchmarks/sampling.py --data stage1_train.zip --weights nucleus.h5
python benchmarks/sampling.py --data stage1_train.zip --preset nucleus --detections 45

Prints one JSON line: medians over images and rounds, interleaved, in seconds.
"""

import json
import os
import statistics
import time

import click

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@click.command()
@click.option("--data", required=True, help="stage1_train.zip or its folder.")
@click.option("--preset", default="cpu", show_default=True)
@click.option("--weights", help="Trained weights; without, --detections are kept anyhow.")
@click.option("--detections", default=45, show_default=True, help="An image, without --weights.")
@click.option("--passes", default=10, show_default=True)
@click.option("--images", default=3, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(data, preset, weights, detections, passes, images, rounds):
    """Measures on test images of the Data Science Bowl, 256 x 256 pixels each."""
    from mrcnn_al import MaskRCNN, ModelConfig
    from mrcnn_al.datasets.subsets import open_subset

    fixed = {} if weights else {"detection_max_instances": detections}
    config = ModelConfig.preset(preset, **fixed)
    confidence = 0.7 if weights else 0.0
    model = MaskRCNN(config)
    if weights:
        model.load_weights(weights)
    subset = open_subset("dsb", data)
    square = [i for i in subset.test if subset.dataset.size(i) == (256, 256)]
    pictures = [subset.dataset.load_image(image_id) for image_id in square[:images]]
    inference = model.inference

    def once(image):
        return inference.detect([image], confidence)

    def sampled(image):
        return inference.sample([image], passes, 0, min_confidence=confidence)

    def whole(image):
        return [
            inference.sample([image], 1, 0, first_pass=number, min_confidence=confidence)
            for number in range(passes)
        ]

    tasks = {"one_inference": once, "sampling": sampled, "whole_inferences": whole}
    seconds = {name: [] for name in tasks}
    for image in pictures:
        for task in tasks.values():
            task(image)
    for _ in range(rounds):
        for image in pictures:
            for name, task in tasks.items():
                begin = time.perf_counter()
                task(image)
                seconds[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    found = [len(one.instances) for image in pictures for one in sampled(image)[0]]
    result = {
        "preset": preset,
        "backbone": config.backbone,
        "input": 256 * max(1, config.image_min_dim // 256),
        "passes": passes,
        "detections_a_pass": statistics.mean(found),
        **{f"{name}_seconds": round(value, 4) for name, value in medians.items()},
        "sampling_to_one": round(medians["sampling"] / medians["one_inference"], 3),
        "sampling_to_whole": round(medians["sampling"] / medians["whole_inferences"], 3),
        "cores": os.cpu_count(),
    }
    click.echo(json.dumps(result))


if __name__ == "__main__":
    main()
