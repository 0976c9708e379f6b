"""How good labels are that a model gave by itself, where the truth is known but hidden."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from mrcnn_al.instances import Instances

IOU_THRESHOLD = 0.5


@dataclass(frozen=True)
class PseudoQuality:
    """The pseudo-labels of one image against the truth.

    Attributes:
        image_id: of the image.
        labelled: pseudo-labelled instances; those inside a crowd do not count.
        objects: in the truth, without crowds.
        matched: pairs of the same class with an IoU of 0.5 or more.
        iou: mean IoU of the masks of the matched pairs; None without any.
    """

    image_id: str
    labelled: int
    objects: int
    matched: int
    iou: float | None

    @property
    def precision(self) -> float:
        """The share of the pseudo-labelled instances that are right; 1 without any."""
        return self.matched / self.labelled if self.labelled else 1.0

    @property
    def recall(self) -> float:
        """The share of the objects that have a label; 1 without any."""
        return self.matched / self.objects if self.objects else 1.0

    @property
    def panoptic_quality(self) -> float:
        """Mean IoU of the matches times their F1 (Kirillov et al. 2019); 1 for nothing at all."""
        if not self.labelled and not self.objects:
            return 1.0
        return (self.iou or 0.0) * 2 * self.matched / (self.labelled + self.objects)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; precision, recall and panoptic quality are there for who reads it."""
        derived = ("precision", "recall", "panoptic_quality")
        return asdict(self) | {name: getattr(self, name) for name in derived}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "PseudoQuality":
        """The inverse of `to_dict`.

        Raises:
            KeyError: a value is missing.
            ValueError: a value is not what it should be.
        """
        values = {field.name: content[field.name] for field in fields(cls)}
        counts = [values[name] for name in ("labelled", "objects", "matched")]
        if not all(isinstance(count, int) and count >= 0 for count in counts):
            raise ValueError(f"counts must be whole numbers, not {counts}")
        if not isinstance(values["iou"], float | int | None):
            raise ValueError(f"'iou' must be a number or null, not {values['iou']!r}")
        return cls(**values)


@dataclass(frozen=True)
class PseudoMatches:
    """Which pseudo-label stands for which object.

    Attributes:
        of_labels: int [N], index of the object, -1 for none, -2 inside a crowd.
        of_objects: int [G], index of the pseudo-label, -1 for none, -2 for crowds.
        overlaps: float [N, G], IoU of the masks; with a crowd the share of the label inside it.
    """

    of_labels: np.ndarray
    of_objects: np.ndarray
    overlaps: np.ndarray


def match_pseudo_labels(truth: Instances, labels: Instances) -> PseudoMatches:
    """Gives each label, best score first, the free object of its class that it overlaps most.

    As COCO's evaluation does it at an IoU of 0.5, crowds included.

    Args:
        truth: of the image.
        labels: with scores.
    """
    overlaps = _overlaps(truth, labels)
    of_labels = np.full(len(labels), -1)
    of_objects = np.where(truth.crowd, -2, -1)
    same_class = labels.class_ids[:, None] == truth.class_ids[None]
    fitting = same_class & (overlaps >= IOU_THRESHOLD)
    for label in np.argsort(-labels.scores, kind="stable"):
        free = np.flatnonzero(fitting[label] & (of_objects == -1))
        if len(free):
            best = free[overlaps[label, free].argmax()]
            of_labels[label], of_objects[best] = best, label
        elif (fitting[label] & truth.crowd).any():
            of_labels[label] = -2
    return PseudoMatches(of_labels, of_objects, overlaps)


def measure_pseudo_labels(image_id: str, truth: Instances, labels: Instances) -> PseudoQuality:
    """Counts and measures what `match_pseudo_labels` finds."""
    matches = match_pseudo_labels(truth, labels)
    pairs = np.flatnonzero(matches.of_labels >= 0)
    ious = matches.overlaps[pairs, matches.of_labels[pairs]]
    return PseudoQuality(
        image_id=image_id,
        labelled=int((matches.of_labels != -2).sum()),
        objects=int((~truth.crowd).sum()),
        matched=len(pairs),
        iou=float(ious.mean()) if len(pairs) else None,
    )


def _overlaps(truth: Instances, labels: Instances) -> np.ndarray:
    from pycocotools import mask as coco_mask

    if not len(truth) or not len(labels):
        return np.zeros((len(labels), len(truth)))
    return coco_mask.iou(labels.rles(), truth.rles(), truth.crowd.tolist())
