import numpy as np
import pytest

from mrcnn_al.datasets.annotation_table import AnnotationTable

TRIANGLE = np.array([0.25, 1, 5, 1, 5, 4.125])


@pytest.fixture
def table() -> AnnotationTable:
    """Image 0: a crowd of runs and a triangle; image 1: nothing; image 2: two triangles in one."""
    return AnnotationTable(
        first=np.array([0, 2, 2, 3]),
        class_ids=np.array([1, 7, 5], np.int32),
        crowd=np.array([True, False, False]),
        polygons=np.array([0, 0, 1, 3]),
        corners=np.array([0, 6, 12, 18]),
        coordinates=np.concatenate([TRIANGLE, TRIANGLE + 1, TRIANGLE * 2]),
        runs=np.array([0, 2, 2, 2]),
        counts=np.frombuffer(b"15", np.uint8),
    )


def test_annotations_of_an_image(table):
    assert table.image_count == 3
    assert [table.count(image) for image in range(3)] == [2, 0, 1]
    first, second = table.of_image(0, 2, 3)
    assert first == (1, True, {"size": [2, 3], "counts": b"15"})
    assert (second.class_id, second.crowd) == (7, False)
    np.testing.assert_array_equal(second.segmentation, [TRIANGLE])
    assert table.of_image(1, 2, 3) == []
    (third,) = table.of_image(2, 2, 3)
    np.testing.assert_array_equal(third.segmentation, [TRIANGLE + 1, TRIANGLE * 2])


def test_labels(table):
    images, class_ids, crowd = table.labels()
    assert images.tolist() == [0, 0, 2]
    assert class_ids.tolist() == [1, 7, 5]
    assert crowd.tolist() == [True, False, False]


def test_from_its_arrays(table):
    again = AnnotationTable.from_arrays(table.arrays())
    for name, values in table.arrays().items():
        np.testing.assert_array_equal(getattr(again, name), values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("first", np.array([0, 2, 2, 4])),
        ("first", np.array([0, 3, 2, 3])),
        ("first", np.array([1, 2, 2, 3])),
        ("first", np.zeros(0, np.int64)),
        ("class_ids", np.array([1, 7], np.int32)),
        ("class_ids", np.array([1, 7, 5])),
        ("crowd", np.array([True, False])),
        ("polygons", np.array([0, 0, 1, 2])),
        ("polygons", np.array([0, 1, 3])),
        ("corners", np.array([0, 6, 12, 19])),
        ("coordinates", np.zeros(17)),
        ("runs", np.array([0, 3, 3, 3])),
        ("counts", np.zeros(2, np.int8)),
    ],
)
def test_arrays_that_are_no_table(table, name, values):
    with pytest.raises(ValueError, match=r"arrays of|offsets|lengths"):
        AnnotationTable.from_arrays(table.arrays() | {name: values})


def test_arrays_that_are_missing(table):
    arrays = table.arrays()
    del arrays["runs"]
    with pytest.raises(ValueError, match="not the arrays of a table"):
        AnnotationTable.from_arrays(arrays)
