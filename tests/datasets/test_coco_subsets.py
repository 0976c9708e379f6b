"""The parts of COCO 2017, from annotation files that have all the images."""

import re

import numpy as np
import pytest
from coco_2017 import alone, write_part
from coco_files import write_coco

from mrcnn_al.datasets.allotment import TooFewImages
from mrcnn_al.datasets.subsets import open_dataset, open_subset
from mrcnn_al.errors import UserError

SPLITS = ("train", "labelled", "validation", "test")
FOUR = ("airplane", "train", "cat", "surfboard", "toilet")
FIVE = ("bicycle", "motorcycle")


@pytest.fixture(scope="module")
def equal(tmp_path_factory):
    """Enough for subsets 4 and 5, among images that show two of the classes, or others."""
    folder = tmp_path_factory.mktemp("equal")
    write_part(
        folder,
        "train2017",
        [
            *[("airplane", "train"), ("cat", "toilet*"), ("bicycle", "motorcycle")] * 100,
            *[("dog",), ()] * 50,
            *alone(**dict.fromkeys(FOUR, 2920), **dict.fromkeys(FIVE, 2690)),
            *[("cat", "dog", "cat"), ("bicycle", "person*")] * 10,
        ],
    )
    # Fewer airplanes than a fifth of 727.
    images = alone(airplane=97, train=157, cat=184, surfboard=149, toilet=160)
    write_part(folder, "val2017", [*images, *[("cat", "toilet")] * 20])
    return folder


@pytest.fixture(scope="module")
def unequal(tmp_path_factory):
    """Exactly as many images as subsets 2 and 3 use for training and test."""
    folder = tmp_path_factory.mktemp("unequal")
    others = ("car", "airplane", "boat", "dog", "elephant", "stop sign", "pizza", "toilet", "clock")
    train = [("person", others[i % 9])[: 1 + i % 2] for i in range(64_115)]
    train += [(others[i % 9], "cat") for i in range(81_774 - 64_115)]
    write_part(folder, "train2017", [*train, ("cat",), (), ("person*",)])
    write_part(folder, "val2017", [("person", "cat")] * 2_693 + [("dog",)] * 800)
    return folder


def sizes(subset):
    return [len(getattr(subset, split)) for split in SPLITS]


def shown(subset, split):
    """How many images of a split show each class, and how many classes each shows."""
    position = {image_id: i for i, image_id in enumerate(subset.dataset.image_ids)}
    presence = subset.dataset.presence()[[position[i] for i in getattr(subset, split)]]
    return presence.sum(axis=0).tolist(), presence.sum(axis=1)


def check_apart(subset):
    """No image is in two splits; labelled ones are for training."""
    used = [*subset.train, *subset.validation, *subset.test]
    assert len(set(used)) == len(used)
    assert set(used) <= set(subset.dataset.image_ids)
    assert set(subset.labelled) <= set(subset.train)


def parts(image_ids):
    return {image_id.partition("-")[0] for image_id in image_ids}


def test_subset_4(equal):
    subset = open_subset("coco4", equal)
    assert subset.dataset.class_names == FOUR
    assert sizes(subset) == [10_500, 50, 727, 4_000]
    check_apart(subset)
    for split, each in (("train", 2_100), ("labelled", 10), ("test", 800)):
        counts, classes = shown(subset, split)
        assert counts == [each] * 5
        assert (classes == 1).all()
    counts, classes = shown(subset, "validation")
    # All images of classes that have fewer, and as many as are lacking of the one with the most.
    assert counts == [97, 157, 164, 149, 160]
    assert (classes == 1).all()
    assert parts(subset.train + subset.test) == {"train2017"}
    assert parts(subset.validation) == {"val2017"}


def test_subset_5(equal):
    subset = open_subset("coco5", equal)
    assert subset.dataset.class_names == FIVE
    assert sizes(subset) == [3_040, 40, 726, 1_600]
    check_apart(subset)
    for split, each in (("train", 1_520), ("labelled", 20), ("validation", 363), ("test", 800)):
        counts, classes = shown(subset, split)
        assert counts == [each] * 2
        assert (classes == 1).all()
    assert parts(subset.train + subset.validation + subset.test) == {"train2017"}


@pytest.mark.parametrize(
    ("name", "expected", "classes"),
    [
        ("coco2", [50_400, 4_200, 2_688, 13_715], 1),
        ("coco3", [68_145, 6_195, 3_436, 13_629], 10),
    ],
)
def test_subsets_2_and_3(unequal, name, expected, classes):
    subset = open_subset(name, unequal)
    assert sizes(subset) == expected
    check_apart(subset)
    assert len(subset.dataset.class_names) == classes
    assert parts(subset.train + subset.test) == {"train2017"}
    assert parts(subset.validation) == {"val2017"}
    # A crowd alone is nothing to learn from; what is left is just enough.
    assert sum(i.startswith("train") for i in subset.dataset.image_ids) == expected[0] + expected[3]


def test_the_seed_alone_decides(equal):
    one, again, other = (open_subset("coco5", equal, seed=seed, scale=0.1) for seed in (1, 1, 2))
    for split in SPLITS:
        assert getattr(one, split) == getattr(again, split)
        assert set(getattr(one, split)) != set(getattr(other, split))


def test_classes_take_turns(equal):
    """So that any number labelled is as equal as it can be."""
    subset = open_subset("coco4", equal, labelled=13, scale=0.01)
    assert shown(subset, "labelled")[0] == [3, 3, 3, 2, 2]
    assert set(open_subset("coco4", equal, scale=0.01).labelled) == set(subset.labelled[:5])


@pytest.mark.parametrize(
    ("name", "scale", "expected"),
    [
        ("coco4", 0.01, [105, 5, 7, 40]),
        ("coco4", 100, [100, 5, 7, 40]),
        ("coco5", 0.01, [30, 2, 8, 16]),
        ("coco2", 0.0001, [5, 1, 1, 1]),
    ],
)
def test_scaled(equal, unequal, name, scale, expected):
    subset = open_subset(name, unequal if name == "coco2" else equal, scale=scale)
    assert sizes(subset) == expected
    check_apart(subset)


@pytest.mark.parametrize("mixed", [0, 3])
def test_validation_images_with_two_classes_are_the_last(tmp_path, mixed):
    """Subset 4's validation set takes them only where it would be too small without."""
    write_part(tmp_path, "train2017", alone(**dict.fromkeys(FOUR, 40)))
    for cats in (4, 2):
        images = alone(airplane=1, train=1, cat=cats, surfboard=1, toilet=1)
        write_part(tmp_path, "val2017", [("cat", "toilet")] * mixed + images)
        if cats + mixed + 4 < 7:
            with pytest.raises(TooFewImages, match=r"7 images from val2017.*are 6 .*0 with sev"):
                open_subset("coco4", tmp_path, scale=0.01)
            continue
        subset = open_subset("coco4", tmp_path, scale=0.01)
        assert len(subset.validation) == 7
        assert (shown(subset, "validation")[1] > 1).sum() == (cats == 2)


def test_too_few_images_of_equal_classes(tmp_path):
    write_part(
        tmp_path,
        "train2017",
        [*alone(bicycle=60, motorcycle=25), *[("bicycle", "motorcycle")] * 100],
    )
    with pytest.raises(TooFewImages) as raised:
        open_subset("coco5", tmp_path)
    text = str(raised.value)
    assert "coco5 need 2,683 images of each class from train2017" in text
    assert "but there are bicycle 60, motorcycle 25" in text
    largest, fraction = re.search(r"--scale (\d+), .* or --scale (0\.\d+)", text).groups()
    # 14, 3 and 7 of each class are 24 images; the next would be 15, 4 and 8.
    assert largest == "28"
    for scale in (int(largest), float(fraction)):
        subset = open_subset("coco5", tmp_path, scale=scale)
        check_apart(subset)
        assert [shown(subset, split)[0] for split in ("train", "validation", "test")] == [
            [14, 14],
            [3, 3],
            [7, 7],
        ]
    with pytest.raises(TooFewImages, match=r"27 images of each class .*--scale 28"):
        open_subset("coco5", tmp_path, scale=30)


def test_too_few_images_of_classes_as_they_come(tmp_path):
    write_part(tmp_path, "train2017", [*alone(person=30, car=20), ("car", "dog", "dog")])
    write_part(tmp_path, "val2017", alone(person=12))
    with pytest.raises(TooFewImages) as raised:
        open_subset("coco3", tmp_path)
    text = str(raised.value)
    assert "need 81,774 images from train2017, but there are 51 (person 30, car 21, " in text
    assert "dog 1," in text
    assert "and 3,436 images from val2017, but there are 12 (person 12, car 0," in text
    largest = int(re.search(r"--scale (\d+),", text).group(1))
    assert sizes(open_subset("coco3", tmp_path, scale=largest)) == [41, 10, 10, 10]
    with pytest.raises(TooFewImages, match="need 52 images from train2017, but there are 51"):
        open_subset("coco3", tmp_path, scale=largest + 1)


def test_not_even_the_smallest(tmp_path):
    write_part(tmp_path, "train2017", alone(bicycle=60, motorcycle=3))
    with pytest.raises(TooFewImages, match="Not even the smallest, with --scale 4, is possible"):
        open_subset("coco5", tmp_path)


def test_the_largest_scale_of_the_real_sample(shared):
    folder = shared / "data" / "coco"
    with pytest.raises(TooFewImages, match=r"bicycle 10, motorcycle 5\. .*--scale 4,"):
        open_subset("coco5", folder)
    subset = open_subset("coco5", folder, scale=4)
    assert sizes(subset) == [4, 2, 2, 2]
    for image_id in subset.train + subset.validation + subset.test:
        instances = subset.dataset.load_instances(image_id)
        assert np.unique(instances.class_ids).size == 1
        assert subset.dataset.load_image(image_id).shape[:2] == subset.dataset.size(image_id)
    # There are two surfboards to train on and to test with.
    with pytest.raises(TooFewImages, match=r"surfboard 2, .*Not even the smallest"):
        open_subset("coco4", folder, scale=10)


def test_broken_images_make_room_for_others(tmp_path):
    write_part(tmp_path, "train2017", alone(bicycle=5, motorcycle=5))
    path = tmp_path / "annotations" / "instances_train2017.json"
    path.write_text(path.read_text().replace("every.png", "absent.png", 1))
    with pytest.raises(UserError, match=r"absent\.png does not exist"):
        open_subset("coco5", tmp_path, scale=4)
    subset = open_subset("coco5", tmp_path, scale=4, skip_broken=True)
    assert sizes(subset) == [4, 2, 2, 2]
    assert "train2017-1" not in subset.dataset.image_ids


def test_the_files_that_are_missing(tmp_path):
    with pytest.raises(UserError, match="coco3 needs data: pass the folder of COCO 2017"):
        open_subset("coco3")
    write_coco(tmp_path / "coco.json", tmp_path / "images")
    with pytest.raises(UserError, match=r"needs .*instances_train2017\.json, which does not exist"):
        open_subset("coco3", tmp_path)
    write_part(tmp_path, "train2017", alone(person=9, bicycle=4, motorcycle=4))
    with pytest.raises(UserError, match=r"needs .*instances_val2017\.json, which does not exist"):
        open_subset("coco2", tmp_path)
    # Subset 5 has no use for it.
    assert sizes(open_subset("coco5", tmp_path, scale=4)) == [4, 2, 2, 2]


def test_a_folder_without_one_of_the_classes(tmp_path):
    write_coco(
        tmp_path / "annotations" / "instances_train2017.json", tmp_path / "train2017", 5, "a"
    )
    with pytest.raises(UserError, match="no class 'bicycle' in "):
        open_dataset("coco5", tmp_path)


def test_a_scale_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(UserError, match=r"scale 2\.5 is out of range"):
        open_subset("coco5", tmp_path, scale=2.5)
    with pytest.raises(UserError, match="scale is for image sets with a name"):
        open_subset(None, tmp_path, scale=0.5)
