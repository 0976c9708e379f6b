import pytest

from mrcnn_al.datasets.splits import Counts
from mrcnn_al.datasets.subset_table import SUBSETS
from mrcnn_al.errors import UserError

# Training, labelled at the start, validation and test images in all, as the thesis has them.
THESIS = {
    "dsb": (480, 40, 51, 133),
    "coco2": (50400, 4200, 2688, 13715),
    "coco3": (68145, 6195, 3436, 13629),
    "coco4": (10500, 50, 727, 4000),
    "coco5": (3040, 40, 726, 1600),
}
CLASSES = {
    "dsb": "nucleus",
    "coco2": "person",
    "coco3": "person, car, airplane, boat, dog, elephant, stop sign, pizza, toilet, clock",
    "coco4": "airplane, train, cat, surfboard, toilet",
    "coco5": "bicycle, motorcycle",
}


def values(counts):
    return counts.train, counts.labelled, counts.validation, counts.test


def test_the_table_is_that_of_the_thesis():
    rows = {name: row for name, row in SUBSETS.items() if name != "toy"}
    assert {name: values(row.counts) for name, row in rows.items()} == THESIS
    assert {name: ", ".join(row.classes) for name, row in rows.items()} == CLASSES
    validation_from = {name: row.validation_from for name, row in rows.items() if name != "dsb"}
    assert validation_from == {
        "coco2": "val2017",
        "coco3": "val2017",
        "coco4": "val2017",
        "coco5": "train2017",
    }
    assert {name: row.equal for name, row in rows.items() if row.equal} == {
        "coco4": ("train", "test"),
        "coco5": ("train", "validation", "test"),
    }


def test_the_counts_for_each_class():
    four, five = SUBSETS["coco4"].counts, SUBSETS["coco5"].counts
    assert (four.train / 5, four.test / 5, four.labelled / 5) == (2100, 800, 10)
    assert (five.train / 2, five.validation / 2, five.test / 2, five.labelled / 2) == (
        *(1520, 363, 800, 20),
    )


@pytest.mark.parametrize(
    ("name", "scale", "expected"),
    [
        ("coco5", None, (3040, 40, 726, 1600)),
        ("coco5", 1, (3040, 40, 726, 1600)),
        ("coco5", 3040, (3040, 40, 726, 1600)),
        ("coco5", 0.5, (1520, 20, 364, 800)),
        ("coco5", 0.1, (304, 4, 72, 160)),
        ("coco5", 0.01, (30, 2, 8, 16)),
        ("coco5", 1e-9, (4, 2, 2, 2)),
        ("coco5", 31, (30, 2, 8, 16)),
        ("coco5", 4, (4, 2, 2, 2)),
        ("coco4", 0.1, (1050, 5, 73, 400)),
        ("coco4", 0.0001, (10, 5, 5, 5)),
        ("coco2", 0.01, (504, 42, 27, 137)),
        ("coco2", 1200, (1200, 100, 64, 327)),
        ("coco3", 1e-9, (11, 10, 10, 10)),
        ("dsb", 0.1, (48, 4, 5, 13)),
        ("dsb", 12, (12, 1, 1, 3)),
    ],
)
def test_scaled(name, scale, expected):
    assert values(SUBSETS[name].scaled(scale)) == expected


@pytest.mark.parametrize("name", list(SUBSETS))
def test_every_scale_has_equal_classes_and_something_to_label(name):
    row = SUBSETS[name]
    classes, last = len(row.classes), Counts(0, 0, 0, 0)
    assert row.steps()[-1] == row.counts.train
    for train in [*row.steps()[:50], *row.steps()[50::97], row.counts.train]:
        counts = row.scaled(train)
        assert counts.train == train
        assert min(values(counts)) >= classes
        assert counts.labelled < counts.train
        for split in (*row.equal, "labelled") if row.equal else ():
            assert getattr(counts, split) % classes == 0
        assert all(now >= before for now, before in zip(values(counts), values(last), strict=True))
        last = counts
    assert last == row.counts


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (0, "scale 0 is out of range: give a fraction above 0 and up to 1, or a whole number"),
        (-0.5, "out of range"),
        (1.5, r"scale 1\.5 is out of range"),
        (3041, "up to 3,040"),
        (float("nan"), "out of range"),
        (float("inf"), "out of range"),
        (3, "3 training images are too few"),
    ],
)
def test_a_scale_out_of_range(scale, words):
    with pytest.raises(UserError, match=words):
        SUBSETS["coco5"].scaled(scale)
