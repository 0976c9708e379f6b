"""Detections in the format of COCO's result files."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances, tight_box


def to_coco_results(
    detections: Mapping[str, Instances], category_ids: Sequence[int]
) -> list[dict[str, Any]]:
    """Detections as COCO's results (cocodataset.org, results format), ready for JSON.

    Args:
        detections: scored instances by image id; images without any leave no trace.
        category_ids: what the source calls classes 1, 2, ...

    Returns:
        One dictionary per instance: image_id (int where the id is one), category_id,
        bbox [x, y, width, height] in pixels, segmentation (compressed RLE), score.

    Raises:
        ValueError: the instances have no scores.
    """
    results = []
    for image_id, instances in detections.items():
        if not len(instances):
            continue
        if instances.scores is None:
            raise ValueError(f"Image {image_id}: instances without scores are no results.")
        for index, rle in enumerate(instances.rles()):
            y1, x1, y2, x2 = instances.boxes[index].tolist()
            results.append(
                {
                    "image_id": _written_id(image_id),
                    "category_id": category_ids[instances.class_ids[index] - 1],
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "segmentation": rle,
                    "score": float(instances.scores[index]),
                }
            )
    return results


def from_coco_results(
    results: Sequence[Mapping[str, Any]], category_ids: Sequence[int]
) -> dict[str, Instances]:
    """The inverse of `to_coco_results`, without the images that have no instance.

    A box grows to whole pixels, and to its mask where the mask is larger.

    Raises:
        UserError: an entry is not a result with a compressed RLE, or of an unknown category.
    """
    class_ids = {category_id: index for index, category_id in enumerate(category_ids, start=1)}
    grouped: dict[str, list] = {}
    for position, result in enumerate(results):
        try:
            entry = _read_result(result, class_ids)
            grouped.setdefault(str(result["image_id"]), []).append(entry)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"Entry {position} of the COCO results cannot be used: {error!r}. "
                f"Known categories: {list(category_ids)}."
            ) from error
    return {image_id: _instances(image_id, entries) for image_id, entries in grouped.items()}


def _written_id(image_id: str) -> int | str:
    # "007" must come back as it went.
    return int(image_id) if image_id.isdecimal() and str(int(image_id)) == image_id else image_id


def _read_result(result: Mapping[str, Any], class_ids: Mapping[int, int]) -> tuple:
    from pycocotools import mask as coco_mask

    rle = result["segmentation"]
    plane = coco_mask.decode({"size": rle["size"], "counts": rle["counts"]}).astype(bool)
    height, width = plane.shape
    x, y, box_width, box_height = result["bbox"]
    boxes = [(np.floor(y), np.floor(x), np.ceil(y + box_height), np.ceil(x + box_width))]
    tight = tight_box(plane)
    if tight is not None:
        boxes.append(tight)
    y1, x1 = np.clip(np.min(boxes, axis=0)[:2], 0, (height, width)).astype(int)
    y2, x2 = np.clip(np.max(boxes, axis=0)[2:], 0, (height, width)).astype(int)
    class_id = class_ids[result["category_id"]]
    # A copy, as a part would keep the whole plane in memory.
    mask = plane[y1:y2, x1:x2].copy()
    return (height, width), class_id, (y1, x1, y2, x2), mask, float(result["score"])


def _instances(image_id: str, entries: Sequence[tuple]) -> Instances:
    sizes, class_ids, boxes, masks, scores = zip(*entries, strict=True)
    if len(set(sizes)) > 1:
        raise UserError(f"COCO results of image {image_id} have masks of sizes {set(sizes)}.")
    height, width = sizes[0]
    return Instances(height, width, class_ids, boxes, masks, scores)
