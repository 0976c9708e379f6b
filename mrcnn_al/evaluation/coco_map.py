"""COCO's average precision of masks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mrcnn_al.evaluation.coco_curves import CurveTables, curve_tables
from mrcnn_al.evaluation.coco_matching import match
from mrcnn_al.evaluation.coco_overlaps import Comparison
from mrcnn_al.instances import Instances

METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl")


class CocoEvaluation:
    """Mean average precision as COCO defines it (cocodataset.org, detection evaluation).

    AP is the area under the interpolated precision-recall curve, averaged over the ten IoU
    thresholds .50:.05:.95 and the classes that occur in the ground truth. A detection that
    matches a crowd, or nothing but objects outside the area range, counts neither way. The area
    of an object is that of its mask: small up to 32^2 pixels, large from 96^2 on, medium from
    32^2 to 96^2. The numbers are those of pycocotools to the last bit.

    Takes one image after the other and keeps no mask. Equal scores rank in the order of images.

    Args:
        class_names: of classes 1, 2, ...
        max_detections: how many of the best scored detections of a class count in an image.
    """

    def __init__(self, class_names: Sequence[str], max_detections: int = 100):
        self._class_names, self._max_detections = tuple(class_names), max_detections
        self._comparison = Comparison()
        self._images = self._instances = 0

    def add(self, image_id: str, truth: Instances, found: Instances) -> None:
        """The ground truth and the scored detections of the next image.

        Raises:
            ValueError: the detections have no scores, or are of an image of another size.
        """
        if len(found) and found.scores is None:
            raise ValueError(f"The detections of image {image_id} have no scores.")
        if len(found) and (truth.height, truth.width) != (found.height, found.width):
            raise ValueError(
                f"Image {image_id} has {truth.height} x {truth.width} pixels in the ground truth "
                f"and {found.height} x {found.width} in the detections."
            )
        self._comparison.add(found, truth)
        self._images += 1
        self._instances += int((~truth.crowd).sum())

    def tables(self) -> CurveTables:
        """COCOeval's precision and recall, all its bits included."""
        found, truth, overlaps = self._comparison.result()
        matching = match(found, truth, overlaps, self._max_detections)
        return curve_tables(found, truth, matching, len(self._class_names))

    def metrics(self) -> dict[str, Any]:
        """The numbers of all images so far.

        Returns:
            Ready for JSON: AP, AP50, AP75, APs, APm, APl (small, medium, large) and AR (average
            recall) in [0, 1], None where the ground truth has no such object; per_class, class
            name to its AP and AP50; images; instances (without crowds); max_detections.
        """
        tables = self.tables()
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
                for index, name in enumerate(self._class_names)
            },
            "images": self._images,
            "instances": self._instances,
            "max_detections": self._max_detections,
        }


def evaluate_coco(
    ground_truth: Mapping[str, Instances],
    detections: Mapping[str, Instances],
    class_names: Sequence[str],
    max_detections: int = 100,
) -> dict[str, Any]:
    """The metrics of `CocoEvaluation`, of images that are all at hand.

    Args:
        ground_truth: the instances of every image evaluated.
        detections: scored instances; images may be missing where nothing was detected.
        class_names: of classes 1, 2, ...
        max_detections: how many of the best scored detections of a class count in an image.

    Raises:
        ValueError: detections without scores, of images that have no ground truth, or of images
            that have another size there.
    """
    unknown = sorted(set(detections) - set(ground_truth))
    if unknown:
        raise ValueError(f"Detections of images without ground truth: {unknown[:5]}.")
    evaluation = CocoEvaluation(class_names, max_detections)
    # In sorted order equal scores rank alike whatever the order of the mappings.
    for image_id in sorted(ground_truth):
        truth = ground_truth[image_id]
        nothing = Instances.empty(truth.height, truth.width, scored=True)
        evaluation.add(image_id, truth, detections.get(image_id, nothing))
    return evaluation.metrics()


def as_text(value: float | None) -> str:
    """A metric for people; a dash where it is not defined."""
    return "-" if value is None else f"{value:.3f}"


def _mean(values: np.ndarray) -> float | None:
    """The mean of what is defined; -1 stands where nothing is."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else None
