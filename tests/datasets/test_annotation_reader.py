import tracemalloc

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mrcnn_al.datasets.annotation_reader import UNLISTED, AnnotationReader, ListedImage, Problem
from mrcnn_al.datasets.coco_segmentation import parse_segmentation

IMAGES = {
    7: ListedImage(0, "seven.png", 6, 8),
    3: ListedImage(1, "three.png", 20, 20),
    2**70: ListedImage(2, "large.png", 6, 8),
    4: ListedImage(3, "four.png", 10**9, 10**9),
}
CLASS_IDS = {2: 1, 90: 2, 2**80: 3}
SQUARE = [1, 1, 5, 1, 5, 4, 1, 4]
RUNS = {"size": [6, 8], "counts": [6, 12, 30]}


def annotation(image_id=7, category_id=2, segmentation=None, **others) -> dict:
    segmentation = [SQUARE] if segmentation is None else segmentation
    basic = {"image_id": image_id, "category_id": category_id, "segmentation": segmentation}
    return {**basic, "iscrowd": 0, **others}


def read(*entries, batch=2):
    reader = AnnotationReader()
    for begin in range(0, len(entries), batch):
        reader.add(entries[begin : begin + batch])
    return reader.finish(IMAGES, CLASS_IDS)


def test_annotations_are_grouped_by_image_in_their_order():
    table, problems = read(
        annotation(3, 90, [SQUARE, [x + 5 for x in SQUARE]]),
        annotation(7, 2, RUNS, iscrowd=1),
        annotation(2**70, 2**80),
        annotation(3, 2, [[0, 0, 1, 1], [0.5, 0, 9, 0, 9, 9]], iscrowd=True),
        annotation(7, 90),
        {"image_id": 7, "category_id": 2, "segmentation": [[2, 2, 3, 2, 3, 3]]},
    )
    assert problems == []
    assert [table.count(image) for image in range(4)] == [3, 2, 1, 0]
    first, second, third = table.of_image(0, 6, 8)
    assert [a.class_id for a in (first, second, third)] == [1, 2, 1]
    assert [a.crowd for a in (first, second, third)] == [True, False, False]
    assert coco_mask.decode(first.segmentation).sum() == 12
    np.testing.assert_array_equal(second.segmentation, [SQUARE])
    np.testing.assert_array_equal(third.segmentation, [[2, 2, 3, 2, 3, 3]])
    first, second = table.of_image(1, 20, 20)
    np.testing.assert_array_equal(first.segmentation, [SQUARE, np.add(SQUARE, 5)])
    np.testing.assert_array_equal(second.segmentation, [[0.5, 0, 9, 0, 9, 9]])
    assert second.crowd
    (only,) = table.of_image(2, 6, 8)
    assert only.class_id == 3


def test_problems_are_in_the_order_of_the_file():
    table, problems = read(
        annotation(8, id=10),
        annotation(id=11, category_id=3),
        annotation(id=12),
        annotation("7", id=13),
        annotation(category_id=3.0),
        annotation(id=15, iscrowd=2),
        annotation(id=16, segmentation=[[1, 2, 3]]),
        annotation(3, id=17, segmentation=RUNS),
        annotation(id=18, segmentation=[[0, 0, 1e7, 0, 5, 5]]),
        annotation(id=19, segmentation=[[0, 0, float("nan"), 0, 5, 5]]),
        annotation(id=20, segmentation=[[-9e5, -9e5, 9e5, 9e5, -9e5, 9e5]]),
        annotation(id=21, segmentation={"size": [6, 8], "counts": [1]}),
        annotation(8, id="text", category_id=3, iscrowd=2),
        annotation(4, id=23, segmentation={"size": [10**9] * 2, "counts": [10**18]}),
    )
    assert problems == [
        Problem(UNLISTED, "annotation 10: it is of image 8, which is not listed"),
        Problem(0, "annotation 11: there is no category 3"),
        Problem(UNLISTED, "annotation 13: it is of image '7', which is not listed"),
        Problem(0, "annotation 'number 4': there is no category 3.0"),
        Problem(0, "annotation 15: its iscrowd is 2, neither 0 nor 1"),
        Problem(
            0, "annotation 16: its segmentation is not a list of polygons [x1, y1, x2, y2, ...]"
        ),
        Problem(1, "annotation 17: its mask has size [6, 8], its image [20, 20] (height, width)"),
        Problem(0, "annotation 18: its polygons have coordinates that no image has"),
        Problem(0, "annotation 19: its polygons have coordinates that no image has"),
        Problem(0, "annotation 20: its polygons have an outline longer than any object has"),
        Problem(0, "annotation 21: its runs cover 1 pixels, its image has 6 x 8 = 48"),
        Problem(UNLISTED, "annotation 'text': it is of image 8, which is not listed"),
        Problem(3, "annotation 23: its mask has more pixels than can be encoded"),
    ]
    assert table.labels()[0].tolist() == [0]


def test_an_outline_that_only_seems_too_long_is_taken():
    teeth = [[x, y] for x in range(4000) for y in ((0, 100) if x % 2 else (100, 0))]
    comb = np.ravel(teeth).tolist()
    # Its corners times its extent are more than the limit, the sum of its edges is not.
    table, problems = read(annotation(3, segmentation=[comb]), annotation(3))
    assert problems == []
    assert [len(a.segmentation[0]) for a in table.of_image(1, 20, 20)] == [len(comb), 8]


@pytest.mark.parametrize("seed", range(5))
def test_random_polygons_are_judged_as_one_by_one(seed):
    rng = np.random.default_rng(seed)
    entries, expected = [], []
    for number in range(200):
        polygons = [
            (rng.choice([1.0, 100.0, 9e5, 2e6]) * rng.uniform(-1, 1, rng.integers(0, 40))).tolist()
            for _ in range(rng.integers(0, 4))
        ]
        entries.append(annotation(id=number, segmentation=polygons))
        try:
            expected.append(parse_segmentation(polygons, 6, 8))
        except ValueError as error:
            expected.append(f"annotation {number}: {error}")
    table, problems = read(*entries, batch=17)
    assert [p.text for p in problems] == [text for text in expected if isinstance(text, str)]
    found = table.of_image(0, 6, 8)
    wanted = [polygons for polygons in expected if not isinstance(polygons, str)]
    assert 0 < len(found) == len(wanted) < 200
    for one, polygons in zip(found, wanted, strict=True):
        assert [p.tolist() for p in one.segmentation] == [p.tolist() for p in polygons]


@pytest.mark.parametrize("points", [3, 30])
def test_annotations_are_small(points):
    """Less than 100 bytes each on top of their coordinates, while they are read, too."""
    entry = annotation(segmentation=[[1.5] * (2 * points)], id=1)
    reader = AnnotationReader()
    tracemalloc.start()
    for _ in range(20):
        reader.add([entry] * 500)
    used, _ = tracemalloc.get_traced_memory()
    # The arrays grow by an eighth at a time.
    assert used < 10_000 * (100 + 1.15 * 16 * points)
    table, _ = reader.finish(IMAGES, CLASS_IDS)
    del reader
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert table.count(0) == 10_000
    assert used < 10_000 * (50 + 16 * points)


def test_no_annotation_at_all():
    table, problems = read()
    assert problems == []
    assert [table.count(image) for image in range(4)] == [0] * 4
    assert [len(values) for values in table.labels()] == [0, 0, 0]
