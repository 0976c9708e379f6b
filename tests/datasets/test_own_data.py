import json

import numpy as np
import pytest
from coco_files import CATEGORIES, write_coco, write_images, write_json

from mrcnn_al.datasets.own_data import open_own_data, open_own_dataset
from mrcnn_al.datasets.subsets import open_subset
from mrcnn_al.errors import UserError


def sizes(subset):
    return [len(getattr(subset, name)) for name in ("train", "labelled", "validation", "test")]


def write_parts(folder, **counts):
    """Files with the same image ids from 1, as those of different people have them."""
    for name, count in counts.items():
        write_coco(folder / f"annotations/instances_{name}.json", folder / name, count, name)


def test_one_file_is_split_by_seed(tmp_path):
    write_coco(tmp_path / "coco.json", tmp_path / "images", 100)
    subset = open_own_data(tmp_path, seed=0)
    assert subset.name == "own"
    assert sizes(subset) == [70, 7, 10, 20]
    everything = subset.train + subset.validation + subset.test
    assert sorted(everything) == sorted(subset.dataset.image_ids)
    assert set(subset.labelled) < set(subset.train)
    assert open_own_data(tmp_path, seed=0).labelled == subset.labelled
    assert open_own_data(tmp_path, seed=1).test != subset.test
    assert open_own_data(tmp_path / "coco.json", seed=0).test == subset.test


@pytest.mark.parametrize(
    ("count", "expected"),
    [(3, [1, 1, 1, 1]), (5, [3, 1, 1, 1]), (10, [7, 3, 1, 2]), (30, [21, 6, 3, 6])],
)
def test_small_sets(tmp_path, count, expected):
    """Two labelled images for each of three classes, but at most half of the pool."""
    write_coco(tmp_path / "coco.json", tmp_path / "images", count)
    assert sizes(open_own_data(tmp_path)) == expected


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_images(tmp_path, count):
    write_coco(tmp_path / "coco.json", tmp_path / "images", count)
    with pytest.raises(UserError, match=rf"has {count} image\(s\) .*at least 3 are needed"):
        open_own_data(tmp_path)


def test_labelled(tmp_path):
    write_coco(tmp_path / "coco.json", tmp_path / "images", 20)
    assert sizes(open_own_data(tmp_path, labelled=9)) == [14, 9, 2, 4]
    with pytest.raises(UserError, match="give 1 to 14"):
        open_own_data(tmp_path, labelled=15)


def test_a_file_for_validation_is_the_test_set(tmp_path):
    write_parts(tmp_path, train=40, val=11)
    subset = open_own_data(tmp_path)
    assert sizes(subset) == [36, 6, 4, 11]
    assert all(image_id.startswith("train-") for image_id in subset.train + subset.validation)
    assert set(subset.test) == {f"val-{number}" for number in range(1, 12)}


def test_files_for_everything(tmp_path):
    write_parts(tmp_path, train=40, val=11, test=7)
    subset = open_own_data(tmp_path)
    assert sizes(subset) == [40, 6, 11, 7]
    assert subset.validation[0].startswith("val-")
    assert subset.test[0].startswith("test-")
    assert sizes(open_own_data(tmp_path / "annotations" / "instances_test.json")) == [5, 2, 1, 1]


def test_parts_are_loaded_from_where_they_are(tmp_path):
    write_parts(tmp_path, train=4, val=3)
    content = json.loads((tmp_path / "annotations/instances_val.json").read_text())
    content["annotations"][0]["segmentation"] = [[0, 0, 8, 0, 8, 6, 0, 6]]
    (tmp_path / "annotations/instances_val.json").write_text(json.dumps(content))
    dataset = open_own_dataset(tmp_path)
    assert dataset.image_ids == (
        "train-1",
        "train-2",
        "train-3",
        "train-4",
        *dataset.of_part("val"),
    )
    assert dataset.load_instances("train-1").areas().tolist() == [12]
    assert dataset.load_instances("val-1").areas().tolist() == [48]
    assert dataset.annotations("val-1").areas.tolist() == [48]
    assert dataset.size("val-1") == (6, 8)
    assert dataset.load_image("val-3").shape == (6, 8, 3)
    assert dataset.instance_count("val-2") == 1


def test_classes_of_parts_with_different_categories(tmp_path):
    """train has b and z, val has a: z is class 3 of both together, but class 2 of its file."""
    write_parts(tmp_path, train=2, val=2)
    for name, kept in (("train", (2, 90)), ("val", (17,))):
        path = tmp_path / f"annotations/instances_{name}.json"
        categories = [entry for entry in CATEGORIES if entry[0] in kept]
        write_json(path, [f"{name}{index}.png" for index in range(2)], 1, categories)
    dataset = open_own_dataset(tmp_path)
    assert dataset.category_ids == (2, 17, 90)
    assert dataset.class_names == ("b", "a", "z")
    classes = [dataset.load_instances(i).class_ids.tolist() for i in dataset.image_ids]
    assert classes == [[3], [1], [2], [2]]
    assert [dataset.annotations(i).class_ids.tolist() for i in dataset.image_ids] == classes


def test_a_category_with_two_names(tmp_path):
    write_parts(tmp_path, train=2, val=2)
    names = ["val0.png", "val1.png"]
    write_json(tmp_path / "annotations/instances_val.json", names, 1, ((2, "cat"),))
    with pytest.raises(UserError, match="category 2 is 'b' in one file and 'cat' in another"):
        open_own_dataset(tmp_path)


def test_what_is_broken_is_left_out_and_reported(tmp_path):
    names = write_coco(tmp_path / "coco.json", tmp_path / "images", 12)
    content = json.loads((tmp_path / "coco.json").read_text())
    (tmp_path / "images" / names[3]).unlink()
    (tmp_path / "images" / names[5]).write_text("no image")
    write_images(tmp_path, ["large.png"])
    content["images"][7]["width"] = 9
    content["annotations"][8]["image_id"] = 99
    content["annotations"][9]["segmentation"] = []
    content["annotations"][10]["category_id"] = 5
    (tmp_path / "coco.json").write_text(json.dumps(content))
    with pytest.raises(
        UserError, match=r"4 problem.*3\.png does not exist.*and 1 more.*--skip-brok"
    ):
        open_own_data(tmp_path)
    subset = open_own_data(tmp_path, skip_broken=True)
    left = set(range(1, 13)) - {4, 6, 8}
    assert set(subset.dataset.image_ids) == set(map(str, left))
    assert [subset.dataset.instance_count(str(number)) for number in (9, 10, 11, 12)] == [
        0,
        0,
        0,
        1,
    ]
    reported = "\n".join(subset.dataset.skipped)
    for words in (
        *("3.png does not exist", "5.png cannot be read", "7.png is 6 x 8", "image 99, which is"),
        *("annotation 10: its segmentation has no polygon", "there is no category 5"),
    ):
        assert words in reported
    assert len(subset.dataset.skipped) == 6


def test_nothing_that_could_be_used(tmp_path):
    write_coco(tmp_path / "coco.json", tmp_path / "images", 3)
    for path in (tmp_path / "images").iterdir():
        path.write_text("no image")
    with pytest.raises(UserError, match=r"has no image that can be used: .*0\.png"):
        open_own_dataset(tmp_path, skip_broken=True)


@pytest.mark.parametrize(("name", "words"), [("none", "does not exist"), ("a.zip", "--subset")])
def test_a_path_that_is_neither(tmp_path, name, words):
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(UserError, match=words):
        open_own_dataset(tmp_path / name)


def test_opened_as_a_subset(tmp_path):
    write_coco(tmp_path / "coco.json", tmp_path / "images", 10)
    direct = open_own_data(tmp_path, 3, 2)
    for name in (None, "own"):
        subset = open_subset(name, tmp_path, seed=3, labelled=2)
        assert (subset.name, subset.train, subset.labelled) == (
            "own",
            direct.train,
            direct.labelled,
        )
    with pytest.raises(UserError, match="need --data"):
        open_subset(None)


def test_the_summary_shows_all_numbers(tmp_path):
    write_coco(tmp_path / "coco.json", tmp_path / "images", 10)
    text = open_own_data(tmp_path).summary()
    for words in (
        *("coco.json with the images in", "3 classes (b, a, z)", "7 images to train on"),
        *("1 for validation", "2 for the test", "3 labelled at the start"),
    ):
        assert words in text


def test_opening_decodes_nothing(tmp_path, monkeypatch):
    write_coco(tmp_path / "coco.json", tmp_path / "images", 10)

    def forbidden(*arguments, **options):
        raise AssertionError("an image was opened or a mask drawn")

    monkeypatch.setattr("PIL.Image.open", forbidden)
    monkeypatch.setattr("mrcnn_al.datasets.coco.compressed_rle", forbidden)
    monkeypatch.setattr("pycocotools.mask.frPyObjects", forbidden)
    monkeypatch.setattr("pycocotools.mask.decode", forbidden)
    assert sizes(open_own_data(tmp_path)) == [7, 3, 1, 2]


def test_the_real_sample(shared):
    subset = open_own_data(shared / "data" / "coco")
    dataset = subset.dataset
    assert sizes(subset) == [172, 86, 19, 92]
    assert len(dataset.class_names) == 80
    assert dataset.category_ids[-1] == 90
    assert dataset.skipped == ()
    counts = np.array([dataset.instance_count(image_id) for image_id in dataset.image_ids])
    assert counts.sum() == 1567 + 854
    assert (counts == 0).sum() == 3
    crowds = [dataset.annotations(image_id).crowd.sum() for image_id in dataset.image_ids]
    assert sum(crowds) == 23
