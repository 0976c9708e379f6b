import numpy as np
import pytest
from template import varied_pool

from mrcnn_al.strategies import make_strategy
from mrcnn_al.uncertainty.score_row import ScoreRow


def detected(image_id, mask):
    return ScoreRow(image_id, detections=0.1, detected_passes=1, mask=mask, passes=10)


ROWS = [
    detected("certain", 0.0),
    detected("just-below", 49.999),
    detected("at-threshold", 50.0),
    detected("uncertain", 500.0),
    ScoreRow("undetected", passes=10),
]


def test_certain_images_with_detections_get_pseudo_labels():
    assert make_strategy("semi").pseudo_label_ids(ROWS, 1, ()) == ("certain", "just-below")


def test_the_threshold_counts():
    strategy = make_strategy("semi", pseudo_threshold=100)
    assert strategy.pseudo_label_ids(ROWS, 1, ()) == ("at-threshold", "certain", "just-below")


def test_freshly_queried_images_get_none():
    assert make_strategy("semi").pseudo_label_ids(ROWS, 1, ["certain"]) == ("just-below",)


def test_the_first_iteration_counts():
    strategy = make_strategy("semi", pseudo_from=3)
    assert [bool(strategy.pseudo_label_ids(ROWS, n, ())) for n in (1, 2, 3, 4)] == [
        *(False, False, True, True)
    ]


def test_queries_are_those_of_mask():
    rows = [detected(f"{index:02d}", float(index)) for index in range(60)]
    one, other = (
        make_strategy(name).query(rows, 10, np.random.default_rng(4)) for name in ("mask", "semi")
    )
    assert one == other


@pytest.mark.parametrize("seed", range(10))
def test_pseudo_labels_are_given_as_the_text_has_it(seed):
    rng = np.random.default_rng(seed)
    rows, threshold, first = varied_pool(60, seed), float(rng.integers(0, 200)), seed % 4 + 1
    strategy = make_strategy("semi", pseudo_threshold=threshold, pseudo_from=first)
    queried = strategy.query(rows, 10, rng).image_ids
    for iteration in range(1, 6):
        expected = []
        for row in rows:
            certain = row.mask < threshold and row.detected_passes > 0
            if iteration >= first and certain and row.image_id not in queried:
                expected.append(row.image_id)
        assert list(strategy.pseudo_label_ids(rows, iteration, queried)) == sorted(expected)
