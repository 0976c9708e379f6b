"""How many pixels have the right class: IoU and Dice."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.ops.label_map import IGNORED, class_map, instance_map


class PixelEvaluation:
    """IoU and Dice of each class over the pixels of all images together.

    With TP, FP and FN the pixels that have a class in both, in the prediction only and in the
    truth only, IoU is TP / (TP + FP + FN) and Dice 2 TP / (2 TP + FP + FN). The means are over
    the classes that occur in truth or prediction; the background's values stand beside them and
    are in no mean. Pixels of crowds do not count.

    Args:
        class_names: of classes 1, 2, ...
    """

    def __init__(self, class_names: Sequence[str]):
        self._names = ("background", *class_names)
        self._confusion = np.zeros((len(self._names), len(self._names)), np.int64)

    def add(self, truth: Instances, found: Instances) -> None:
        """The ground truth and the scored detections of one more image."""
        count = len(self._names)
        true, predicted = (class_map(one, instance_map(one)) for one in (truth, found))
        counted = true != IGNORED
        pairs = true[counted].astype(np.int64) * count + predicted[counted]
        self._confusion += np.bincount(pairs, minlength=count**2).reshape(count, count)

    def metrics(self) -> dict[str, Any]:
        """The numbers of all images so far.

        Returns:
            Ready for JSON: mIoU and Dice in [0, 1], None where there is no class; pixels, class
            name to its IoU and Dice, with `background`.
        """
        shared = self._confusion.diagonal()
        both = self._confusion.sum(axis=0) + self._confusion.sum(axis=1)
        by_class = {
            name: {
                "IoU": float(shared[i] / (both[i] - shared[i])) if both[i] else None,
                "Dice": float(2 * shared[i] / both[i]) if both[i] else None,
            }
            for i, name in enumerate(self._names)
        }
        return {
            "mIoU": _mean(by_class[name]["IoU"] for name in self._names[1:]),
            "Dice": _mean(by_class[name]["Dice"] for name in self._names[1:]),
            "pixels": by_class,
        }


def _mean(values):
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
