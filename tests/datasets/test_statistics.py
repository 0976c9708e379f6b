import json

import numpy as np
import pytest
from coco_files import SQUARE, write_coco
from PIL import Image

from mrcnn_al.datasets.coco_writer import write_coco_folder
from mrcnn_al.datasets.own_data import open_own_dataset
from mrcnn_al.datasets.statistics import ClassCount, Spread, count_dataset
from mrcnn_al.datasets.toy import generate_toy
from mrcnn_al.instances import Instances


def square(side):
    mask = np.zeros((200, 300), bool)
    mask[:side, :side] = True
    return mask


def test_every_number(tmp_path):
    """Squares at the borders of COCO's size ranges, a crowd, and an empty image."""
    first = Instances.from_dense(
        np.dstack([square(31), square(32), square(95), square(96), square(150)]),
        [1, 1, 2, 1, 2],
        crowd=np.array([0, 0, 0, 0, 1]),
    )
    second = Instances.from_dense(square(10)[:100, :50, None], [2])
    images = [np.zeros((200, 300, 3), np.uint8), np.zeros((100, 50, 3), np.uint8)]
    items = [
        (1, "1.png", images[0], first),
        (2, "2.png", images[1], second),
        (3, "3.png", images[1], Instances.empty(100, 50)),
    ]
    write_coco_folder(tmp_path, ["one", "two", "three"], items)
    found = count_dataset(open_own_dataset(tmp_path))
    assert found.classes == (
        ClassCount("one", 1, 3, 0),
        ClassCount("two", 2, 2, 1),
        ClassCount("three", 0, 0, 0),
    )
    assert (found.images, found.unannotated, found.instances, found.crowds) == (3, 1, 5, 1)
    assert (found.small, found.medium, found.large, found.invisible) == (2, 2, 1, 0)
    assert found.heights == Spread(100, 100, 200)
    assert found.widths == Spread(50, 50, 300)
    assert found.per_image == Spread(0, 1, 4)
    assert found.problems == ()


def test_problems_are_found(tmp_path):
    names = write_coco(tmp_path / "coco.json", tmp_path / "images", 6)
    content = json.loads((tmp_path / "coco.json").read_text())
    content["annotations"][0]["segmentation"] = [[2.1, 2.1, 2.2, 2.1, 2.2, 2.2]]
    (tmp_path / "coco.json").write_text(json.dumps(content))
    Image.new("RGB", (6, 8)).save(tmp_path / "images" / names[2])
    found = count_dataset(open_own_dataset(tmp_path))
    assert found.invisible == 1
    assert found.instances == 5
    (problem,) = found.problems
    assert "2.png is 8 x 6" in problem
    content["annotations"][1] = {"id": 2, "image_id": 77, "category_id": 2, "segmentation": SQUARE}
    (tmp_path / "coco.json").write_text(json.dumps(content))
    found = count_dataset(open_own_dataset(tmp_path, skip_broken=True))
    assert len(found.problems) == 2
    assert "image 77" in found.problems[1]


def test_as_counted_from_the_masks(tmp_path):
    dataset = generate_toy(tmp_path, 0, 6, 64)
    found = count_dataset(dataset)
    every = [dataset.load_instances(image_id) for image_id in dataset.image_ids]
    assert found.instances == sum(map(len, every))
    for number, entry in enumerate(found.classes, start=1):
        occurs = [int((instances.class_ids == number).sum()) for instances in every]
        assert entry.instances == sum(occurs)
        assert entry.images == np.count_nonzero(occurs)


@pytest.mark.parametrize("values", [[3], [1, 2], [5, 1, 2]])
def test_spread(values):
    found = Spread.of(np.array(values))
    assert found == (min(values), np.median(values), max(values))
