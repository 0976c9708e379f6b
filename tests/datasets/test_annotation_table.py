import tracemalloc

import numpy as np
import pytest

from mrcnn_al.datasets.annotation_table import Annotation, AnnotationTable

TRIANGLE = np.array([0.25, 1, 5, 1, 5, 4.125])


def test_what_goes_in_comes_out():
    rle = {"size": [2, 3], "counts": "123"}
    table = AnnotationTable(3)
    table.add(2, Annotation(7, False, [TRIANGLE, TRIANGLE + 1]), 2, 3)
    table.add(0, Annotation(1, True, rle), 2, 3)
    table.add(2, Annotation(5, True, [TRIANGLE * 2]), 2, 3)
    table.add(0, Annotation(2, False, {"size": [2, 3], "counts": [1, 5]}), 2, 3)
    table.finish()
    assert [table.count(image) for image in range(3)] == [2, 0, 2]
    images, class_ids, crowd = table.labels()
    assert (images.tolist(), class_ids.tolist()) == ([0, 0, 2, 2], [1, 2, 7, 5])
    assert crowd.tolist() == [True, False, False, True]
    first, second = table.of_image(2, 2, 3)
    assert (first.class_id, first.crowd) == (7, False)
    np.testing.assert_array_equal(first.segmentation, [TRIANGLE, TRIANGLE + 1])
    assert (second.class_id, second.crowd) == (5, True)
    np.testing.assert_array_equal(second.segmentation, [TRIANGLE * 2])
    assert table.of_image(1, 2, 3) == []
    first, second = table.of_image(0, 2, 3)
    assert first == Annotation(1, True, {"size": [2, 3], "counts": b"123"})
    # Runs of 1 and 5 pixels, compressed: a character holds 48 more than the number.
    assert second == Annotation(2, False, {"size": [2, 3], "counts": b"15"})


def test_no_annotation_at_all():
    table = AnnotationTable(2)
    table.finish()
    assert table.count(1) == 0
    assert table.of_image(0, 5, 5) == []
    assert [len(values) for values in table.labels()] == [0, 0, 0]


@pytest.mark.parametrize("points", [3, 30])
def test_annotations_are_small(points):
    """Less than 100 bytes each on top of their coordinates."""
    polygon = np.arange(2 * points, dtype=np.float64)
    tracemalloc.start()
    table = AnnotationTable(100)
    for index in range(10_000):
        table.add(index % 100, Annotation(1, False, [polygon]), 9, 9)
    table.finish()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The arrays grow by an eighth at a time.
    assert used < 10_000 * (100 + 1.15 * polygon.nbytes)
