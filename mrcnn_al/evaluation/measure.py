"""How good a model is on images with ground truth."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mrcnn_al.datasets.base import Dataset
from mrcnn_al.evaluation.coco_map import CocoEvaluation
from mrcnn_al.instances import Instances
from mrcnn_al.progress import progress

Look = Callable[[str, Instances, Instances], None]


def measure(
    model,
    dataset: Dataset,
    image_ids: Sequence[str],
    load_image: Callable[[str], np.ndarray] | None = None,
    description: str = "evaluating",
    look: Look = lambda image_id, truth, found: None,
) -> dict[str, Any]:
    """COCO mAP of a MaskRCNN, with all the detections that it may make an image.

    Images are looked at one after the other; masks of thousands would fill the memory.

    Args:
        model: a MaskRCNN.
        dataset: images and ground truth.
        image_ids: which of them.
        load_image: takes the place of the dataset's.
        description: for the progress bar.
        look: is given the id, the ground truth and the detections of each image.

    Returns:
        The metrics of `CocoEvaluation`.
    """
    load_image = load_image or dataset.load_image
    most = max(100, model.config.detection_max_instances)
    evaluation = CocoEvaluation(dataset.class_names, most)
    with progress(description, len(image_ids), "images") as advance:
        # In sorted order equal scores rank alike whatever the order of the ids.
        for image_id in sorted(image_ids):
            found = model.inference.detect([load_image(image_id)])[0].instances
            truth = dataset.load_instances(image_id)
            evaluation.add(image_id, truth, found)
            look(image_id, truth, found)
            advance()
    return evaluation.metrics()
