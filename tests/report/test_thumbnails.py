import numpy as np
import pytest
from PIL import Image

from mrcnn_al.datasets.coco import CocoDataset
from mrcnn_al.datasets.coco_writer import write_coco_folder
from mrcnn_al.instances import Instances
from mrcnn_al.report.palette import NEUTRAL, class_colours, rgb
from mrcnn_al.report.thumbnails import choose_thumbnails, draw_thumbnails


def write(folder, sizes, class_count=2, crowd=False):
    """White images with two halves: class 1 on the left, the last class on the right."""
    items = []
    for number, (height, width) in enumerate(sizes, start=1):
        masks = np.zeros((height, width, 2), bool)
        masks[:, : width // 2, 0] = True
        masks[:, width // 2 :, 1] = True
        crowds = np.array([False, crowd])
        instances = Instances.from_dense(masks, [1, class_count], crowd=crowds)
        items.append(
            (number, f"{number}.png", np.full((height, width, 3), 255, np.uint8), instances)
        )
    names = [f"class {number}" for number in range(1, class_count + 1)]
    write_coco_folder(folder, names, items)
    return CocoDataset.open_folder(folder)


def page(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def has(pixels, colour):
    return (pixels == colour).all(axis=2).any()


def test_classes_have_their_colours(tmp_path):
    dataset = write(tmp_path, [(40, 60), (60, 40)])
    draw_thumbnails(tmp_path / "page.png", dataset, dataset.image_ids, "a title")
    pixels = page(tmp_path / "page.png")
    one, two = class_colours(2)
    # Class 1 is outlined left of class 2 in each picture.
    top = pixels[60:200]
    columns = [np.flatnonzero((top == colour).all(axis=2).any(axis=0)) for colour in (one, two)]
    assert len(columns[0]) > 0
    assert columns[0][0] < columns[1][0]
    assert not has(pixels, rgb(NEUTRAL))


def test_crowds_are_grey(tmp_path):
    dataset = write(tmp_path, [(40, 60)], crowd=True)
    draw_thumbnails(tmp_path / "page.png", dataset, dataset.image_ids)
    pixels = page(tmp_path / "page.png")
    assert has(pixels, rgb(NEUTRAL))


def test_many_classes_are_labelled(tmp_path):
    dataset = write(tmp_path, [(300, 300)], class_count=30)
    draw_thumbnails(tmp_path / "page.png", dataset, dataset.image_ids)
    many = page(tmp_path / "page.png")
    dataset = write(tmp_path / "few", [(300, 300)], class_count=2)
    draw_thumbnails(tmp_path / "few.png", dataset, dataset.image_ids)
    few = page(tmp_path / "few.png")
    one = class_colours(1)[0]
    filled = [(pixels[16:50, 16:80] == one).all(axis=2).sum() for pixels in (many, few)]
    assert filled[0] > 2 * filled[1]


def test_odd_sizes_and_tiny_masks(tmp_path):
    dataset = write(tmp_path, [(1, 900), (900, 2), (2, 2), (700, 1100), (33, 47)])
    draw_thumbnails(tmp_path / "page.png", dataset, dataset.image_ids)
    height, width, _ = page(tmp_path / "page.png").shape
    assert width == 4 * 336 + 16
    assert height < 900


def test_two_pages_of_the_same_are_the_same(tmp_path):
    dataset = write(tmp_path, [(40, 60)])
    for name in ("a.png", "b.png"):
        draw_thumbnails(tmp_path / name, dataset, dataset.image_ids)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("count", [1, 3, 7, 20])
def test_choice(tmp_path, count):
    dataset = write(tmp_path, [(4, 4)] * 7)
    chosen = choose_thumbnails(dataset, count)
    assert len(chosen) == len(set(chosen)) == min(count, 7)
    assert list(chosen) == sorted(chosen)


def test_images_without_annotations_are_not_chosen(tmp_path):
    black = np.zeros((4, 4, 3), np.uint8)
    full = Instances.from_dense(np.ones((4, 4, 1), bool), [1])
    items = [(n, f"{n}.png", black, full if n == 3 else Instances.empty(4, 4)) for n in (1, 2, 3)]
    write_coco_folder(tmp_path, ["one"], items)
    assert choose_thumbnails(CocoDataset.open_folder(tmp_path), 2) == ("3",)
    write_coco_folder(tmp_path / "none", ["one"], items[:2])
    assert choose_thumbnails(CocoDataset.open_folder(tmp_path / "none"), 5) == ("1", "2")


def test_colours_differ():
    colours = class_colours(80)
    assert len(set(colours)) == 80
    assert colours[:7] == class_colours(7)


def test_no_thumbnail(tmp_path):
    dataset = write(tmp_path, [(4, 4)])
    with pytest.raises(ValueError, match="no thumbnails"):
        draw_thumbnails(tmp_path / "page.png", dataset, ())
