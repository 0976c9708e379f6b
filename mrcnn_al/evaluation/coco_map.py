"""COCO's average precision of masks."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mrcnn_al.evaluation.coco_curves import CurveTables, curve_tables
from mrcnn_al.evaluation.coco_matching import match
from mrcnn_al.evaluation.coco_overlaps import Listed, find_overlaps
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
    of an object is that of its mask: small up to 32^2 pixels, large from 96^2 on, medium from
    32^2 to 96^2. The numbers are those of pycocotools to the last bit.

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
        ValueError: detections without scores, of images that have no ground truth, or of images
            that have another size there.
    """
    unknown = sorted(set(detections) - set(ground_truth))
    if unknown:
        raise ValueError(f"Detections of images without ground truth: {unknown[:5]}.")
    unscored = [i for i, found in detections.items() if found.scores is None and len(found)]
    if unscored:
        raise ValueError(f"Detections without scores: {unscored[:5]}.")

    # In sorted order equal scores rank alike whatever the order of the mappings.
    image_ids = sorted(ground_truth)
    truths = [ground_truth[image_id] for image_id in image_ids]
    founds = [
        detections.get(image_id, Instances.empty(truth.height, truth.width, scored=True))
        for image_id, truth in zip(image_ids, truths, strict=True)
    ]
    _check_sizes(image_ids, truths, founds)
    tables = precision_recall(truths, founds, len(class_names), max_detections, description)
    precision, recall = tables.precision, tables.recall
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


def precision_recall(
    truths: Sequence[Instances],
    founds: Sequence[Instances],
    class_count: int,
    max_detections: int = 100,
    description: str | None = None,
) -> CurveTables:
    """COCOeval's tables, all its bits included.

    Args:
        truths: the instances of every image.
        founds: scored instances of the same images.
        class_count: classes 1 to this one are evaluated.
        max_detections: how many of the best scored detections of a class count in an image.
        description: of a progress bar; None for silence.
    """
    truth, found = Listed.of(truths), Listed.of(founds, scored=True)
    with contextlib.ExitStack() as stack:
        advance = lambda: None
        if description is not None:
            advance = stack.enter_context(progress(description, len(truths), "images"))
        overlaps = find_overlaps(founds, truths, found.areas, truth.areas, advance)
    matching = match(found, truth, overlaps, max_detections)
    return curve_tables(found, truth, matching, class_count)


def as_text(value: float | None) -> str:
    """A metric for people; a dash where it is not defined."""
    return "-" if value is None else f"{value:.3f}"


def _check_sizes(image_ids, truths, founds):
    for image_id, truth, found in zip(image_ids, truths, founds, strict=True):
        if len(found) and (truth.height, truth.width) != (found.height, found.width):
            raise ValueError(
                f"Image {image_id} has {truth.height} x {truth.width} pixels in the ground truth "
                f"and {found.height} x {found.width} in the detections."
            )


def _mean(values: np.ndarray) -> float | None:
    """The mean of what is defined; -1 stands where nothing is."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else None
