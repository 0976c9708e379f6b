"""Annotation files of COCO 2017's size and layout, with one image file for all of them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

# In COCO's order, with COCO's gaps; those that the subsets use and one that none does.
CATEGORIES = {
    **{"person": 1, "bicycle": 2, "car": 3, "motorcycle": 4, "airplane": 5, "train": 7},
    **{"boat": 9, "stop sign": 13, "bench": 15, "cat": 17, "dog": 18, "elephant": 22},
    **{"surfboard": 42, "pizza": 59, "toilet": 70, "clock": 85},
}
SQUARE = [[1, 1, 5, 1, 5, 4, 1, 4]]
# Crowds are written as run lengths, columns first: 6 x 8 pixels.
CROWD = {"size": [6, 8], "counts": [12, 6, 30]}


def write_part(folder: Path, part: str, images: Iterable[Sequence[str]]) -> None:
    """Writes `annotations/instances_<part>.json` and `<part>/`, ids from 1.

    Args:
        folder: the folder of COCO 2017.
        part: train2017 or val2017.
        images: the classes that each image shows; those with an asterisk as crowds.
    """
    listed, annotations = [], []
    for image_id, names in enumerate(images, start=1):
        listed.append({"id": image_id, "file_name": "every.png", "height": 6, "width": 8})
        for name in names:
            crowd = name.endswith("*")
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": CATEGORIES[name.rstrip("*")],
                    "segmentation": CROWD if crowd else SQUARE,
                    "iscrowd": int(crowd),
                }
            )
    categories = [{"id": number, "name": name} for name, number in CATEGORIES.items()]
    content = {"images": listed, "annotations": annotations, "categories": categories}
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    path = folder / "annotations" / f"instances_{part}.json"
    path.write_text(json.dumps(content))
    (folder / part).mkdir(exist_ok=True)
    Image.new("RGB", (8, 6)).save(folder / part / "every.png")


def alone(**counts: int) -> list[tuple[str, ...]]:
    """So many images of each class, one object in each."""
    return [(name,) for name, count in counts.items() for _ in range(count)]
