"""How many pixels have the right class: IoU and Dice."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.ops.label_map import IGNORED, class_map, instance_map


def pixel_metrics(
    ground_truth: Mapping[str, Instances],
    detections: Mapping[str, Instances],
    class_names: Sequence[str],
) -> dict[str, Any]:
    """IoU and Dice of each class over the pixels of all images together.

    With TP, FP and FN the pixels that have a class in both, in the prediction only and in the
    truth only, IoU is TP / (TP + FP + FN) and Dice 2 TP / (2 TP + FP + FN). The means are over
    the classes that occur in truth or prediction; the background's values stand beside them and
    are in no mean. Pixels of crowds do not count.

    Args:
        ground_truth: the instances of every image.
        detections: those that were found, scored; images may be missing where nothing was.
        class_names: of classes 1, 2, ...

    Returns:
        Ready for JSON: mIoU and Dice in [0, 1], None where there is no class; pixels, class name
        to its IoU and Dice, with `background`.
    """
    count = len(class_names) + 1
    confusion = np.zeros((count, count), np.int64)
    for image_id, truth in ground_truth.items():
        found = detections.get(image_id, Instances.empty(truth.height, truth.width, scored=True))
        true, predicted = (class_map(one, instance_map(one)) for one in (truth, found))
        counted = true != IGNORED
        pairs = true[counted].astype(np.int64) * count + predicted[counted]
        confusion += np.bincount(pairs, minlength=count**2).reshape(count, count)
    shared = confusion.diagonal()
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    names = ("background", *class_names)
    by_class = {
        name: {
            "IoU": float(shared[index] / (both[index] - shared[index])) if both[index] else None,
            "Dice": float(2 * shared[index] / both[index]) if both[index] else None,
        }
        for index, name in enumerate(names)
    }
    return {
        "mIoU": _mean(by_class[name]["IoU"] for name in class_names),
        "Dice": _mean(by_class[name]["Dice"] for name in class_names),
        "pixels": by_class,
    }


def _mean(values):
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
