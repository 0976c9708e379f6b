import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mrcnn_al.datasets.coco_segmentation import compressed_rle, decode_counts, parse_segmentation


def drawn(value, height: int, width: int) -> np.ndarray:
    parsed = parse_segmentation(value, height, width)
    return coco_mask.decode(compressed_rle(parsed, height, width)).astype(bool)


def test_counts_are_decoded_as_pycocotools_encodes_them():
    rng = np.random.default_rng(5)
    for density in (0.0, 0.01, 0.5, 0.99, 1.0):
        mask = np.asfortranarray(rng.random((60, 41)) < density, np.uint8)
        flat = mask.ravel(order="F")
        changes = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
        expected = np.diff([0, *changes, flat.size]).tolist()
        assert decode_counts(coco_mask.encode(mask)["counts"].decode()) == expected


def test_the_same_mask_in_three_ways():
    expected = np.zeros((10, 12), bool)
    expected[2:6, 3:8] = True
    polygon = [[3, 2, 8, 2, 8, 6, 3, 6]]
    runs = [32, *[4, 6] * 4, 4, 44]
    compressed = coco_mask.encode(np.asfortranarray(expected, np.uint8))["counts"].decode()
    for value in (
        polygon,
        {"size": [10, 12], "counts": runs},
        {"size": [10, 12], "counts": compressed},
    ):
        np.testing.assert_array_equal(drawn(value, 10, 12), expected)


def test_polygons_are_united_and_those_of_two_points_ignored():
    first, second = [0, 0, 4, 0, 4, 4, 0, 4], [6, 6, 9, 6, 9, 9, 6, 9]
    both = drawn([first, [1, 1, 9, 9], second], 10, 10)
    np.testing.assert_array_equal(both, drawn([first], 10, 10) | drawn([second], 10, 10))


def test_polygons_may_leave_the_image():
    np.testing.assert_array_equal(
        drawn([[-5, -5, 30, -5, 30, 30, -5, 30]], 6, 8), np.ones((6, 8), bool)
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        [[]],
        [[1, 2, 3, 4]],
        [[1, 2, 3, 4, 5]],
        [[1, 2, 3, 4, 5, "6"]],
        [[1, 2, 3, 4, 5, float("nan")]],
        [[1, 2, 3, 4, 5, 1e300]],
        [[1, 2, 3, 4, 5, -1e7]],
        [[-9e5, -9e5, 9e5, 9e5, -9e5, 9e5]],
        [1, 2, 3, 4, 5, 6],
        {},
        {"size": [5, 5]},
        {"size": [5, 4], "counts": [20]},
        {"size": [5, 5], "counts": [24]},
        {"size": [5, 5], "counts": [30, -5]},
        {"size": [5, 5], "counts": [12.5, 12.5]},
        {"size": [5, 5], "counts": 25},
        {"size": [5, 5], "counts": ""},
        {"size": [5, 5], "counts": "o"},
        {"size": [5, 5], "counts": "\x00"},
        {"size": [5, 5], "counts": "zzz"},
        {"size": [5, 5], "counts": "Q" * 7 + "0"},
        {"size": [5, 5], "counts": "`" * 100_000},
        {"size": [5, 5], "counts": [10**400]},
        {"size": [10**9, 10**9], "counts": [10**18]},
        {"size": [5, 5], "counts": "é"},
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_no_segmentation_is_refused(value):
    with pytest.raises(ValueError, match="its "):
        parse_segmentation(value, 5, 5)


def test_an_outline_with_many_turns_is_an_outline():
    """A comb of 200 teeth: long, but of this world."""
    teeth = [[x, y] for x in range(400) for y in ((0, 300) if x % 2 else (300, 0))]
    polygon = [*np.ravel(teeth).tolist(), 400, 400, 0, 400]
    assert drawn([polygon], 400, 400)[310:, :390].all()
