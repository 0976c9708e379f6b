from collections import Counter

import numpy as np

from mrcnn_al.strategies import make_strategy
from mrcnn_al.uncertainty.score_row import ScoreRow


def test_needs_no_scores():
    assert make_strategy("random").uses_scores is False


def test_all_images_are_equally_likely():
    rows = [ScoreRow(f"image-{index}") for index in range(10)]
    strategy = make_strategy("random")
    drawn = Counter()
    for seed in range(500):
        query = strategy.query(rows, 2, np.random.default_rng(seed))
        assert set(query.reasons) == {"random"}
        drawn.update(query.image_ids)
    # 500 draws of two in ten: 100 expected, standard deviation 8.9.
    assert len(drawn) == 10
    assert all(60 < count < 140 for count in drawn.values())


def test_utilities_prefer_no_image():
    rows = [ScoreRow("a", detected_passes=1, mask=9.0, passes=1), ScoreRow("b", passes=1)]
    query = make_strategy("random").query(rows, 1, np.random.default_rng(0), True)
    assert query.utilities == {"a": 0.0, "b": 0.0}
