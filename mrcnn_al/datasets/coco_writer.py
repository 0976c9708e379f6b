"""Images and instances written in COCO's format."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from mrcnn_al.datasets.coco import ANNOTATIONS, IMAGES
from mrcnn_al.datasets.image_file import write_image
from mrcnn_al.datasets.image_folder import ImageFolder
from mrcnn_al.files import write_json
from mrcnn_al.instances import Instances


def write_coco_folder(
    path: str | os.PathLike,
    class_names: Sequence[str],
    items: Iterable[tuple[int, str, np.ndarray, Instances]],
) -> None:
    """Writes what `CocoDataset.open_folder` opens: PNG images and one annotation file.

    Each file is replaced as a whole, the annotation file after all the images.

    Args:
        path: the folder; made if absent.
        class_names: of classes 1, 2, ..., which become the category ids.
        items: (image id, file name under `images/`, RGB uint8 [H, W, 3], instances) per image.

    Raises:
        ValueError: an image is not of its instances' size, or a file name leads out of the folder.
    """
    folder = Path(path)
    images, annotations = [], []
    inside = ImageFolder(folder / IMAGES)
    for image_id, file_name, pixels, instances in items:
        if pixels.shape != (instances.height, instances.width, 3) or pixels.dtype != np.uint8:
            raise ValueError(f"Image {image_id} is {pixels.dtype} {pixels.shape}, not RGB uint8.")
        inside.holds(file_name)
        write_image(folder / IMAGES / file_name, pixels)
        images.append(
            {
                "id": int(image_id),
                "file_name": file_name,
                "height": instances.height,
                "width": instances.width,
            }
        )
        annotations.extend(_annotations(int(image_id), instances, len(annotations) + 1))
    categories = [
        {"id": index, "name": name, "supercategory": ""}
        for index, name in enumerate(class_names, start=1)
    ]
    content = {"images": images, "annotations": annotations, "categories": categories}
    write_json(folder / ANNOTATIONS, content)


def _annotations(image_id: int, instances: Instances, first_id: int) -> list[dict]:
    areas, rles = instances.areas(), instances.rles()
    return [
        {
            "id": first_id + index,
            "image_id": image_id,
            "category_id": int(instances.class_ids[index]),
            "segmentation": rles[index],
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": int(areas[index]),
            "iscrowd": int(instances.crowd[index]),
        }
        for index, (y1, x1, y2, x2) in enumerate(instances.boxes.tolist())
    ]
