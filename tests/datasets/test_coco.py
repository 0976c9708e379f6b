import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from mrcnn_al.datasets.coco import ANNOTATIONS, IMAGES, CocoDataset
from mrcnn_al.datasets.coco_writer import write_coco_folder
from mrcnn_al.errors import UserError
from mrcnn_al.instances import Instances

SQUARE = [[1, 1, 5, 1, 5, 4, 1, 4]]


@pytest.fixture
def content() -> dict:
    """Two images, three categories with gaps and out of order, one annotation of each kind."""
    return {
        "images": [
            {"id": 10, "file_name": "ten.png", "height": 6, "width": 8},
            {"id": 9, "file_name": "nine.png", "height": 6, "width": 8},
        ],
        "categories": [{"id": 90, "name": "z"}, {"id": 2, "name": "b"}, {"id": 17, "name": "a"}],
        "annotations": [
            {"id": 1, "image_id": 10, "category_id": 90, "segmentation": SQUARE, "iscrowd": 0},
            {
                "id": 2,
                "image_id": 10,
                "category_id": 2,
                "segmentation": {"size": [6, 8], "counts": [6, 12, 30]},
                "iscrowd": 1,
            },
        ],
    }


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / IMAGES).mkdir()
    for value, name in enumerate(("nine.png", "ten.png")):
        Image.fromarray(np.full((6, 8), 40 * value, np.uint8)).save(tmp_path / IMAGES / name)
    return tmp_path


def opened(folder: Path, content: dict | str) -> CocoDataset:
    path = folder / ANNOTATIONS
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return CocoDataset.open_folder(folder)


def test_ids_and_classes_are_in_numerical_order(folder, content):
    dataset = opened(folder, content)
    assert dataset.image_ids == ("9", "10")
    assert dataset.category_ids == (2, 17, 90)
    assert dataset.class_names == ("b", "a", "z")
    assert dataset.size("10") == (6, 8)
    assert dataset.load_image("10").tolist() == np.full((6, 8, 3), 40).tolist()


def test_polygons_and_crowds(folder, content):
    dataset = opened(folder, content)
    instances = dataset.load_instances("10")
    assert instances.class_ids.tolist() == [3, 1]
    assert instances.crowd.tolist() == [False, True]
    assert instances.boxes.tolist() == [[1, 1, 4, 5], [0, 1, 6, 3]]
    assert instances.areas().tolist() == [12, 12]
    assert dataset.instance_count("10") == 2
    assert dataset.instance_count("9") == len(dataset.load_instances("9")) == 0


@pytest.mark.parametrize("split", ["train2017", "val2017"])
def test_real_coco_against_pycocotools(shared, split):
    source = shared / "data" / "coco"
    path = source / "annotations" / f"instances_{split}.json"
    dataset = CocoDataset(path, source / split)
    reference = COCO(path)
    assert dataset.image_ids == tuple(map(str, sorted(reference.getImgIds())))
    assert dataset.category_ids == tuple(sorted(reference.getCatIds()))
    for image_id in dataset.image_ids:
        expected = reference.loadAnns(reference.getAnnIds(int(image_id)))
        instances = dataset.load_instances(image_id)
        assert len(instances) == dataset.instance_count(image_id) == len(expected)
        dense = instances.dense()
        for index, annotation in enumerate(expected):
            np.testing.assert_array_equal(dense[:, :, index], reference.annToMask(annotation))
            name = reference.loadCats(annotation["category_id"])[0]["name"]
            assert dataset.class_names[instances.class_ids[index] - 1] == name
            assert instances.crowd[index] == annotation["iscrowd"]
    for image_id in dataset.image_ids[:10]:
        assert dataset.load_image(image_id).shape == (*dataset.size(image_id), 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["annotations"][0].update(image_id=7),
            "annotation 1: it is of image 7, which is not listed",
        ),
        (
            lambda c: c["annotations"][1].update(category_id=3),
            "annotation 2: there is no category 3",
        ),
        (lambda c: c["annotations"][0].update(image_id=[1]), r"it is of image \[1\]"),
        (lambda c: c["annotations"][0].pop("segmentation"), "annotation 1: its segmentation"),
        (
            lambda c: c["annotations"][0].update(segmentation=[[10**400] * 6]),
            "annotation 1: its polygons",
        ),
        (lambda c: c["annotations"][1]["segmentation"].update(size=[8, 6]), r"size \[8, 6\]"),
        (lambda c: c["images"][1].update(id=10), "two images with the id 10"),
        (lambda c: c["categories"][1].update(id=17), "two categories with the id 17"),
        (lambda c: c["images"][0].update(id="10"), '"id" is no whole number'),
        (lambda c: c["images"][0].pop("file_name"), '"file_name" is no text'),
        (lambda c: c["images"][0].update(height=0), "image 10 is 0 x 8"),
        (lambda c: c["categories"][0].pop("name"), '"name" is no text'),
        (lambda c: c["categories"][0].update(name="  "), "without a name that can be printed"),
        (lambda c: c["categories"][0].update(name="a\x1b[31m"), "a name that can be printed"),
        (lambda c: c["categories"][0].update(name="\ud800"), "a name that can be printed"),
        (lambda c: c["categories"][0].update(id=2.0), '"id" is no whole number'),
        (lambda c: c["annotations"][0].update(iscrowd="1"), "iscrowd is '1', neither 0 nor 1"),
        (lambda c: c["annotations"][0].update(iscrowd=2), "iscrowd is 2"),
        (lambda c: c["annotations"][0].update(category_id=True), "no category True"),
        (lambda c: c["images"][0].update(width=8.0), '"width" is no whole number'),
        (lambda c: c["images"][0].update(width=10**9), "ten.png is 6 x 8 .* says 6 x 1000000000"),
        (lambda c: c.pop("annotations"), 'no list "annotations"'),
        (lambda c: c.update(images=[]), 'empty list "images"'),
        (lambda c: c.update(images=[3]), 'no list "images"'),
        (
            lambda c: c["images"][0].update(file_name="gone.png"),
            r"1 problem.*gone\.png does not exist",
        ),
    ],
)
def test_what_does_not_fit_is_named(folder, content, change, message):
    change(content)
    with pytest.raises(UserError, match=message) as caught:
        opened(folder, content)
    assert "instances.json" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", '{"images": [', "[]", "3", '"images"'])
def test_broken_json(folder, text):
    with pytest.raises(UserError, match=r"instances\.json"):
        opened(folder, text)


def test_names_that_occur_twice_get_their_ids(folder, content):
    content["categories"][0]["name"] = "b"
    assert opened(folder, content).class_names == ("b (2)", "a", "b (90)")


def test_crowds_may_be_left_unsaid_or_true(folder, content):
    del content["annotations"][0]["iscrowd"]
    content["annotations"][1]["iscrowd"] = True
    assert opened(folder, content).load_instances("10").crowd.tolist() == [False, True]


def test_annotations_in_any_order(folder, content):
    """Those of an image stay in the order of the file, whatever comes between."""
    first, second = content["annotations"]
    other = {**first, "image_id": 9, "category_id": 17}
    third = {**first, "category_id": 17, "segmentation": [*SQUARE, [6, 4, 8, 4, 8, 6, 6, 6]]}
    content["annotations"] = [second, other, first, other, third]
    dataset = opened(folder, content)
    assert dataset.load_instances("10").class_ids.tolist() == [1, 3, 2]
    assert dataset.load_instances("10").areas().tolist() == [12, 12, 16]
    assert dataset.load_instances("9").class_ids.tolist() == [2, 2]
    class_ids, areas, crowd = dataset.annotations("10")
    assert class_ids.tolist() == [1, 3, 2]
    assert areas.tolist() == [12, 12, 16]
    assert crowd.tolist() == [True, False, False]


def test_the_header_of_an_image_is_checked(folder, content):
    dataset = opened(folder, content)
    dataset.check_image("10")
    Image.new("RGB", (6, 8)).save(folder / IMAGES / "ten.png")
    with pytest.raises(UserError, match=r"ten\.png is 8 x 6"):
        dataset.check_image("10")


def test_missing_files_and_folders(folder, content):
    with pytest.raises(UserError, match=r"instances\.json does not exist"):
        CocoDataset.open_folder(folder)
    opened(folder, content)
    shutil.rmtree(folder / IMAGES)
    with pytest.raises(UserError, match=r"image folder .*images does not exist"):
        CocoDataset.open_folder(folder)


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.png", "a/../../secret.png", "/etc/hostname", "a\0b", "", ".", "C:\\a.png"),
        *("..\\secret.png", "\ud800"),
    ],
)
@pytest.mark.parametrize("skip_broken", [False, True])
def test_file_names_that_climb_out_are_refused(folder, content, name, skip_broken):
    shutil.copy(folder / IMAGES / "ten.png", folder / "secret.png")
    opened(folder, content)
    content["images"][0]["file_name"] = name
    (folder / ANNOTATIONS).write_text(json.dumps(content))
    with pytest.raises(UserError, match="outside of the image folder") as caught:
        CocoDataset(folder / ANNOTATIONS, folder / IMAGES, skip_broken)
    assert repr(name) in str(caught.value)


def test_links_that_lead_out_are_refused_and_others_are_not(folder, content):
    images = folder / IMAGES
    shutil.copy(images / "ten.png", folder / "secret.png")
    (images / "link.png").symlink_to(images / "ten.png")
    content["images"][0]["file_name"] = "link.png"
    assert opened(folder, content).load_image("10").shape == (6, 8, 3)
    (images / "link.png").unlink()
    (images / "link.png").symlink_to(folder / "secret.png")
    with pytest.raises(UserError, match=r"outside of the image folder.*link\.png"):
        opened(folder, content)


def test_the_image_folder_may_itself_be_a_link(folder, content):
    (folder / IMAGES).rename(folder / "elsewhere")
    (folder / IMAGES).symlink_to(folder / "elsewhere")
    assert opened(folder, content).load_image("9").shape == (6, 8, 3)


def test_an_image_of_another_size_or_cut_off_is_named(folder, content):
    dataset = opened(folder, content)
    path = folder / IMAGES / "ten.png"
    Image.fromarray(np.zeros((8, 6), np.uint8)).save(path)
    with pytest.raises(UserError, match=r"ten\.png is 8 x 6 .* says 6 x 8"):
        dataset.load_image("10")
    path.write_bytes(path.read_bytes()[:44])
    with pytest.raises(UserError, match=r"ten\.png cannot be read"):
        dataset.load_image("10")


def test_what_is_written_is_read_again(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    masks = np.zeros((20, 30, 3), bool)
    masks[2:9, 4:9, 0] = rng.random((7, 5)) < 0.7
    masks[10:20, 20:30, 1] = True
    masks[11:12, 3:4, 2] = True
    instances = Instances.from_dense(masks, [2, 1, 2], crowd=np.array([0, 1, 0]))
    items = [(3, "b/c.png", pixels, instances), (1, "a.png", pixels, Instances.empty(20, 30))]
    write_coco_folder(tmp_path, ["one", "two"], items)
    dataset = CocoDataset.open_folder(tmp_path)
    assert dataset.image_ids == ("1", "3")
    assert dataset.class_names == ("one", "two")
    np.testing.assert_array_equal(dataset.load_image("3"), pixels)
    again = dataset.load_instances("3")
    np.testing.assert_array_equal(again.dense(), masks)
    assert again.class_ids.tolist() == [2, 1, 2]
    assert again.crowd.tolist() == [False, True, False]
    assert len(dataset.load_instances("1")) == 0
    raw = json.loads((tmp_path / ANNOTATIONS).read_text())
    assert [entry["id"] for entry in raw["annotations"]] == [1, 2, 3]
    assert raw["annotations"][1]["bbox"] == [20, 10, 10, 10]
    assert raw["annotations"][1]["area"] == 100
    assert raw["annotations"][1]["iscrowd"] == 1


def test_a_failure_while_writing_leaves_the_old_annotations(tmp_path):
    pixels = np.zeros((5, 5, 3), np.uint8)
    write_coco_folder(tmp_path, ["one"], [(1, "a.png", pixels, Instances.empty(5, 5))])
    before = (tmp_path / ANNOTATIONS).read_bytes()
    with pytest.raises(ValueError, match="not RGB uint8"):
        write_coco_folder(tmp_path, ["one"], [(2, "b.png", pixels, Instances.empty(5, 6))])
    with pytest.raises(ValueError, match="leads out"):
        write_coco_folder(tmp_path, ["one"], [(2, "../b.png", pixels, Instances.empty(5, 5))])
    assert (tmp_path / ANNOTATIONS).read_bytes() == before
    assert not (tmp_path / "b.png").exists()


def test_an_image_with_very_many_annotations(folder, content):
    first = content["annotations"][0]
    size = content["images"][0]
    square = [[1, 1, 3, 1, 3, 3, 1, 3]]
    content["annotations"] = [
        {**first, "id": n, "image_id": size["id"], "segmentation": square, "iscrowd": 0}
        for n in range(1, 301)
    ]
    annotations = opened(folder, content).annotations(str(size["id"]))
    assert annotations.areas.tolist() == [4] * 300
