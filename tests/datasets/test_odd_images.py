"""Images and instances as odd as they occur."""

import numpy as np
import pytest
from PIL import Image

from mrcnn_al.datasets.coco import IMAGES, CocoDataset
from mrcnn_al.datasets.coco_writer import write_coco_folder
from mrcnn_al.datasets.own_data import open_own_data
from mrcnn_al.instances import Instances

KINDS = {
    "grey": lambda grey: Image.fromarray(grey),
    "sixteen bits": lambda grey: Image.fromarray(grey.astype(np.uint16) * 257),
    "RGBA": lambda grey: Image.fromarray(np.dstack([grey, grey, grey, grey // 2])),
    "grey with alpha": lambda grey: Image.fromarray(grey).convert("LA"),
    "palette": lambda grey: Image.fromarray(grey).convert("P"),
}


def write(folder, height, width, masks):
    """A dataset of one black image."""
    instances = (
        Instances.from_dense(masks, np.ones(masks.shape[2]))
        if masks.shape[2]
        else Instances.empty(height, width)
    )
    image = np.zeros((height, width, 3), np.uint8)
    write_coco_folder(folder, ["thing"], [(1, "image.png", image, instances)])
    return CocoDataset.open_folder(folder)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_kinds_of_files(tmp_path, make):
    grey = np.random.default_rng(0).integers(0, 256, (7, 13), dtype=np.uint8)
    dataset = write(tmp_path, 7, 13, np.ones((7, 13, 1), bool))
    make(grey).save(tmp_path / IMAGES / "image.png")
    dataset.check_image("1")
    np.testing.assert_array_equal(dataset.load_image("1"), np.dstack([grey] * 3))


@pytest.mark.parametrize("size", [(1, 1), (1, 517), (333, 2), (1388, 1040), (97, 101)])
def test_sizes_and_instances_at_the_border(tmp_path, size):
    """One mask in each corner, of one pixel, and one over everything."""
    masks = np.zeros((*size, 5), bool)
    for index, (y, x) in enumerate(((0, 0), (0, -1), (-1, 0), (-1, -1))):
        masks[y, x, index] = True
    masks[:, :, 4] = True
    dataset = write(tmp_path, *size, masks)
    assert dataset.size("1") == size
    assert dataset.load_image("1").shape == (*size, 3)
    np.testing.assert_array_equal(dataset.load_instances("1").dense(), masks)


def test_no_instance_and_four_hundred(tmp_path):
    masks = np.zeros((100, 100, 400), bool)
    for index in range(400):
        y, x = divmod(index, 20)
        masks[5 * y : 5 * y + 4, 5 * x : 5 * x + 4, index] = True
    full = Instances.from_dense(masks, np.arange(400) % 3 + 1)
    black = np.zeros((100, 100, 3), np.uint8)
    items = [(number, f"{number}.png", black, Instances.empty(100, 100)) for number in (2, 3, 4)]
    write_coco_folder(tmp_path, "abc", [(1, "1.png", black, full), *items])
    subset = open_own_data(tmp_path)
    dataset = subset.dataset
    assert len(dataset.image_ids) == 4
    again = dataset.load_instances("1")
    np.testing.assert_array_equal(again.dense(), masks)
    assert again.class_ids.tolist() == full.class_ids.tolist()
    assert len(dataset.load_instances("3")) == dataset.instance_count("3") == 0
    assert [len(part) for part in dataset.annotations("3")] == [0, 0, 0]
