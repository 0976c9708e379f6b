import pytest
from coco_files import write_coco, write_images, write_json

from mrcnn_al.datasets.coco import CocoDataset
from mrcnn_al.datasets.coco_layout import find_annotation_files, find_image_folder
from mrcnn_al.errors import UserError

# Annotation file, image folder; what each file is for.
LAYOUTS = {
    "COCO": {
        "train": ("annotations/instances_train2017.json", "train2017"),
        "val": ("annotations/instances_val2017.json", "val2017"),
    },
    "one of COCO's": {"all": ("annotations/instances_val2017.json", "val2017")},
    "COCO, images in images/": {
        "train": ("annotations/instances_train.json", "images/train"),
        "val": ("annotations/instances_val.json", "images/val"),
    },
    "Roboflow": {
        "train": ("train/_annotations.coco.json", "train"),
        "val": ("valid/_annotations.coco.json", "valid"),
        "test": ("test/_annotations.coco.json", "test"),
    },
    "CVAT": {"all": ("annotations/instances_default.json", "images/default")},
    "older CVAT": {"all": ("annotations/instances_default.json", "images")},
    "Label Studio": {"all": ("result.json", "images")},
    "images beside": {"all": ("annotations.json", ".")},
    "images/ beside": {"all": ("coco.json", "images")},
    "one folder beside": {"all": ("labels.json", "my photos")},
    "folders of two names": {
        "train": ("labels/train.json", "train"),
        "val": ("labels/validation.json", "validation"),
    },
    "of this package": {"all": ("annotations/instances.json", "images")},
    "images in train/images": {
        "train": ("train.json", "train/images"),
        "test": ("test.json", "test/images"),
    },
    "annotations beside annotations": {"all": ("annotations/train.json", ".")},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts(tmp_path, layout):
    for json_path, images in layout.values():
        write_coco(tmp_path / json_path, tmp_path / images)
    found = find_annotation_files(tmp_path)
    assert found == {role: tmp_path / json_path for role, (json_path, _) in layout.items()}
    for role, (_, images) in layout.items():
        dataset = CocoDataset(found[role])
        assert dataset.load_image("1").shape == (6, 8, 3)
        chosen = find_image_folder(found[role], ["0.png", "1.png", "2.png"])
        assert chosen.resolve() == (tmp_path / images).resolve()


def test_other_kinds_of_annotations_are_left_alone(tmp_path):
    write_coco(tmp_path / "annotations/instances_train2017.json", tmp_path / "train2017")
    for name in ("captions_train2017", "person_keypoints_train2017", "._instances_val2017"):
        (tmp_path / "annotations" / f"{name}.json").write_text("no COCO instances")
    (tmp_path / "package.json").write_text("{}")
    assert list(find_annotation_files(tmp_path)) == ["all"]


@pytest.mark.parametrize(
    "names",
    [
        ("first.json", "second.json"),
        ("instances_train2014.json", "instances_train2017.json"),
        ("instances_val.json", "instances_test.json"),
        ("trainval.json", "test.json"),
        ("train_val.json", "train.json"),
    ],
)
def test_files_that_could_all_be_meant_are_listed(tmp_path, names):
    for name in names:
        write_coco(tmp_path / "annotations" / name, tmp_path / "images")
    with pytest.raises(UserError, match=r"holds 2 annotation files.*Pass one of them") as caught:
        find_annotation_files(tmp_path)
    for name in names:
        assert str(tmp_path / "annotations" / name) in str(caught.value)


def test_no_annotation_file(tmp_path):
    write_images(tmp_path, ["a.png"])
    with pytest.raises(
        UserError, match=r"no COCO annotation file in .*looked for annotations/inst"
    ):
        find_annotation_files(tmp_path)


def test_image_folders_that_could_both_be_meant_are_listed(tmp_path):
    for name in ("left", "right"):
        write_coco(tmp_path / "labels.json", tmp_path / name)
    with pytest.raises(UserError, match=r"may be those in .*left or .*right.*Rename .*images"):
        CocoDataset(tmp_path / "labels.json")
    (tmp_path / "right").rename(tmp_path / "images")
    assert CocoDataset(tmp_path / "labels.json").source.endswith("images")


def test_the_folder_with_the_most_of_the_images_counts(tmp_path):
    """A few images lie in images/, all of them in train/."""
    names = write_coco(tmp_path / "annotations/train.json", tmp_path / "train")
    write_images(tmp_path / "images", names[:1])
    assert find_image_folder(tmp_path / "annotations/train.json", names) == tmp_path / "train"


def test_an_annotation_file_in_the_current_folder(tmp_path, monkeypatch):
    write_coco(tmp_path / "annotations/instances_train.json", tmp_path / "train")
    monkeypatch.chdir(tmp_path / "annotations")
    assert CocoDataset("instances_train.json").load_image("1").shape == (6, 8, 3)


def test_images_of_others_are_left_alone(tmp_path):
    """Beside the user's folder lies another one, with images of the same names."""
    write_images(tmp_path / "other", ["a.png"])
    write_images(tmp_path / "images", ["a.png"])
    write_json(tmp_path / "own" / "coco.json", ["a.png"])
    with pytest.raises(UserError, match="No image"):
        CocoDataset(tmp_path / "own" / "coco.json")


def test_no_image_anywhere(tmp_path):
    write_json(tmp_path / "annotations/instances_train.json", ["a.png", "b.png"])
    with pytest.raises(UserError, match=r"No image .* names was found, such as 'a\.png'") as caught:
        CocoDataset(tmp_path / "annotations/instances_train.json")
    assert str(tmp_path / "train") in str(caught.value)


def test_names_that_lead_out_are_not_followed_in_the_search(tmp_path):
    write_images(tmp_path, ["a.png"])
    write_json(tmp_path / "annotations/instances.json", ["../a.png"])
    with pytest.raises(UserError, match=r"'\.\./a\.png'"):
        CocoDataset(tmp_path / "annotations/instances.json")
