import numpy as np
import pytest

from mrcnn_al.experiments.passes_ranking import overlap_of_detected, ranking_overlap
from mrcnn_al.uncertainty.score_row import ScoreRow


def rows(masks, undetected=()):
    return [
        ScoreRow(f"{i:03d}", mask=float(m), detected_passes=int(i not in undetected), passes=1)
        for i, m in enumerate(masks)
    ]


def literal_overlap(first, second, top):
    """By its definition: sort, take the first, count what is in both."""

    def key(row):
        detected = row.detected_passes > 0
        return (detected, -row.mask * detected, row.image_id)

    one = [row.image_id for row in sorted(first, key=key)][:top]
    two = [row.image_id for row in sorted(second, key=key)][:top]
    return sum(image_id in two for image_id in one) / top


@pytest.mark.parametrize("seed", range(20))
def test_against_the_definition(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 60))
    # Few values, so that there are ties; some images without a detection.
    first, second = (
        rows(rng.integers(0, 6, count), set(rng.integers(0, count, 3).tolist())) for _ in range(2)
    )
    for top in {1, count // 2 or 1, count}:
        expected = literal_overlap(first, second, top)
        assert ranking_overlap(first, second, top) == expected
        shuffled = [second[i] for i in rng.permutation(count)]
        assert ranking_overlap(first, shuffled, top) == expected


def test_by_hand():
    first, second = rows((9, 8, 7, 1, 0)), rows((0, 8, 1, 7, 9))
    assert ranking_overlap(first, second, 2) == 0.5
    assert ranking_overlap(first, second, 3) == pytest.approx(1 / 3)
    assert ranking_overlap(first, first, 3) == ranking_overlap(first, second, 5) == 1
    # Without a detection it is the most uncertain, whatever its number says.
    assert ranking_overlap(rows((9, 8, 0), {2}), rows((0, 1, 9)), 1) == 1
    assert ranking_overlap(rows((9, 8, 0), {2}), rows((9, 8, 0)), 1) == 0


def test_images_with_detections_only():
    first, second = rows((9, 8, 7, 0), {3}), rows((7, 8, 9, 0), {3})
    assert ranking_overlap(first, second, 2) == 0.5
    assert overlap_of_detected(first, second, 1) == 0
    assert overlap_of_detected(first, second, 2) == 0.5
    assert overlap_of_detected(first, second, 4) == 1
    assert overlap_of_detected(rows((1, 2), {0}), rows((1, 2), {1}), 1) is None


@pytest.mark.parametrize("top", [0, 3])
def test_no_such_top(top):
    with pytest.raises(ValueError, match="no top"):
        ranking_overlap(rows((1, 2)), rows((1, 2)), top)


def test_different_images():
    with pytest.raises(ValueError, match="different images"):
        ranking_overlap(rows((1, 2)), rows((1, 2, 3)), 1)
