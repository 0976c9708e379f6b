"""How good a model is on images with ground truth."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mrcnn_al.datasets.base import Dataset
from mrcnn_al.evaluation.coco_map import evaluate_coco
from mrcnn_al.instances import Instances
from mrcnn_al.progress import progress


def measure(
    model,
    dataset: Dataset,
    image_ids: Sequence[str],
    load_image: Callable[[str], np.ndarray] | None = None,
    description: str = "evaluating",
    truth: Mapping[str, Instances] | None = None,
) -> tuple[dict[str, Any], dict[str, Instances]]:
    """COCO mAP of a MaskRCNN, with all the detections that it may make an image.

    Args:
        model: a MaskRCNN.
        dataset: images and ground truth.
        image_ids: which of them.
        load_image: takes the place of the dataset's.
        description: for the progress bar.
        truth: by image id, for whoever has loaded it already.

    Returns:
        The metrics of `evaluate_coco`, and the detections by image id.
    """
    load_image = load_image or dataset.load_image
    detections = {}
    with progress(description, len(image_ids), "images") as advance:
        for image_id in image_ids:
            detections[image_id] = model.inference.detect([load_image(image_id)])[0].instances
            advance()
    if truth is None:
        truth = {image_id: dataset.load_instances(image_id) for image_id in image_ids}
    most = max(100, model.config.detection_max_instances)
    metrics = evaluate_coco(truth, detections, dataset.class_names, most, f"{description}: mAP")
    return metrics, detections
