"""COCO's average precision of masks, computed by pycocotools."""

import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.progress import progress

METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl")


def evaluate_coco(
    ground_truth: Mapping[str, Instances],
    detections: Mapping[str, Instances],
    class_names: Sequence[str],
    max_detections: int = 100,
    description: str | None = None,
) -> dict[str, Any]:
    """Mean average precision as COCO defines it (cocodataset.org, detection evaluation).

    AP is the area under the interpolated precision-recall curve, averaged over the ten IoU
    thresholds .50:.05:.95 and the classes that occur in the ground truth. A detection that
    matches a crowd, or nothing but objects outside the area range, counts neither way. The area
    of an object is that of its mask: small below 32^2 pixels, large from 96^2 on.

    Args:
        ground_truth: the instances of every image evaluated.
        detections: scored instances; images may be missing where nothing was detected.
        class_names: of classes 1, 2, ...
        max_detections: how many of the best scored detections of a class count in an image.
        description: of a progress bar; None for silence.

    Returns:
        Ready for JSON: AP, AP50, AP75, APs, APm, APl (small, medium, large) and AR (average
        recall) in [0, 1], None where the ground truth has no such object; per_class, class name
        to its AP and AP50; images; instances (without crowds); max_detections.

    Raises:
        ValueError: detections without scores or of images that have no ground truth.
    """
    unknown = sorted(set(detections) - set(ground_truth))
    if unknown:
        raise ValueError(f"Detections of images without ground truth: {unknown[:5]}.")
    unscored = [i for i, found in detections.items() if found.scores is None and len(found)]
    if unscored:
        raise ValueError(f"Detections without scores: {unscored[:5]}.")

    # In sorted order equal scores rank alike whatever the order of the mappings.
    image_ids = sorted(ground_truth)
    evaluated = _evaluate(
        [ground_truth[image_id] for image_id in image_ids],
        [_found(detections, image_id, ground_truth[image_id]) for image_id in image_ids],
        len(class_names),
        max_detections,
        description,
    )
    # precision: [threshold, recall level, class, area range]; recall: [threshold, class, area]
    precision = evaluated["precision"][..., 0]
    recall = evaluated["recall"][..., 0]
    everything, small, medium, large = range(4)
    at_50, at_75 = 0, 5
    return {
        "AP": _mean(precision[..., everything]),
        "AP50": _mean(precision[at_50, ..., everything]),
        "AP75": _mean(precision[at_75, ..., everything]),
        "APs": _mean(precision[..., small]),
        "APm": _mean(precision[..., medium]),
        "APl": _mean(precision[..., large]),
        "AR": _mean(recall[..., everything]),
        "per_class": {
            name: {
                "AP": _mean(precision[:, :, index, everything]),
                "AP50": _mean(precision[at_50, :, index, everything]),
            }
            for index, name in enumerate(class_names)
        },
        "images": len(image_ids),
        "instances": sum(int((~truth.crowd).sum()) for truth in ground_truth.values()),
        "max_detections": max_detections,
    }


def as_text(value: float | None) -> str:
    """A metric for people; a dash where it is not defined."""
    return "-" if value is None else f"{value:.3f}"


def _found(detections: Mapping[str, Instances], image_id: str, truth: Instances) -> Instances:
    return detections.get(image_id, Instances.empty(truth.height, truth.width, scored=True))


def _evaluate(
    truths: Sequence[Instances],
    found: Sequence[Instances],
    class_count: int,
    max_detections: int,
    description: str | None,
) -> dict[str, Any]:
    """COCOeval's precision and recall, images being their position in `truths`."""
    from pycocotools.cocoeval import COCOeval

    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        evaluation = COCOeval(
            _coco(truths, class_count), _coco(found, class_count, scored=True), "segm"
        )
        evaluation.params.maxDets = [max_detections]
        if description is not None:
            steps = len(truths) * class_count * (1 + len(evaluation.params.areaRng))
            advance = stack.enter_context(progress(description, steps, "matchings"))
            evaluation.computeIoU = _followed(evaluation.computeIoU, advance)
            evaluation.evaluateImg = _followed(evaluation.evaluateImg, advance)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval


def _coco(images: Sequence[Instances], class_count: int, scored: bool = False):
    from pycocotools.coco import COCO

    annotations = []
    for image_index, instances in enumerate(images):
        areas = instances.areas()
        for index, rle in enumerate(instances.rles()):
            annotation = {
                # COCOeval takes a match with id 0 for no match.
                "id": len(annotations) + 1,
                "image_id": image_index,
                "category_id": int(instances.class_ids[index]),
                "segmentation": rle,
                "area": int(areas[index]),
                "iscrowd": int(instances.crowd[index]),
            }
            if scored:
                annotation["score"] = float(instances.scores[index])
            annotations.append(annotation)
    coco = COCO()
    coco.dataset = {
        "images": [
            {"id": index, "height": instances.height, "width": instances.width}
            for index, instances in enumerate(images)
        ],
        "categories": [{"id": class_id} for class_id in range(1, class_count + 1)],
        "annotations": annotations,
    }
    coco.createIndex()
    return coco


def _followed(function: Callable, advance: Callable[[], None]) -> Callable:
    def wrapper(*arguments):
        result = function(*arguments)
        advance()
        return result

    return wrapper


def _mean(values: np.ndarray) -> float | None:
    """The mean of what is defined; COCOeval writes -1 where nothing is."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else None
