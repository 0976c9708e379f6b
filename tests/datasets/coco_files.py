"""Small COCO files and images, laid out in any way."""

import json
from pathlib import Path

from PIL import Image

SQUARE = [[1, 1, 5, 1, 5, 4, 1, 4]]
CATEGORIES = ((2, "b"), (17, "a"), (90, "z"))


def write_images(folder: Path, names) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (90, 40, 10)).save(path)


def write_json(path: Path, names, first_id: int = 1, categories=CATEGORIES) -> dict:
    """One image of 6 x 8 pixels a name, with one square each, the classes taking turns."""
    ids = range(first_id, first_id + len(names))
    content = {
        "images": [
            {"id": image_id, "file_name": name, "height": 6, "width": 8}
            for image_id, name in zip(ids, names, strict=True)
        ],
        "categories": [{"id": number, "name": name} for number, name in categories],
        "annotations": [
            {
                "id": image_id,
                "image_id": image_id,
                "category_id": categories[image_id % len(categories)][0],
                "segmentation": SQUARE,
                "iscrowd": 0,
            }
            for image_id in ids
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return content


def write_coco(json_path: Path, image_folder: Path, count: int = 3, prefix: str = "") -> list[str]:
    """An annotation file and its images; their names."""
    names = [f"{prefix}{index}.png" for index in range(count)]
    write_images(image_folder, names)
    write_json(json_path, names)
    return names
