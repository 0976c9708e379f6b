"""Memory does not grow with the images that are scored."""

import numpy as np
import pytest
from amount import amount
from process_memory import memory, needs_status
from small_model import make_model

from mrcnn_al.config import SamplingConfig
from mrcnn_al.score_journal import ScoreJournal
from mrcnn_al.uncertainty.pool_scorer import PoolScorer

IMAGES = amount("images that are scored while memory is looked at", 300, 600)
FIRST = 100
# Two thirds of what the images are that come after the first.
MOST_GROWTH = (IMAGES - FIRST) * 20_000
SIDES = (64, 100, 130)

pytestmark = [pytest.mark.slow, needs_status]


def load_image(number):
    """Noise of one of nine sizes."""
    rng = np.random.default_rng(int(number))
    return rng.integers(0, 256, (*rng.choice(SIDES, 2), 3), dtype=np.uint8)


def test_memory_is_flat(tmp_path):
    """An image has 30 kB; more or fewer objects are no other program."""
    sampling = SamplingConfig(passes=2, min_confidence=0.3)
    scorer = PoolScorer(make_model().inference, load_image, sampling)
    seen = []
    with ScoreJournal(tmp_path / "scored.jsonl") as journal:

        def keep(row):
            journal.add(row)
            if len(journal.rows) % 50 == 0:
                seen.append(memory())

        rows = scorer.rows([str(number) for number in range(IMAGES)], 3, "scoring", keep)
        assert list(journal.rows.values()) == rows
    assert len({row.detections for row in rows}) > 2
    assert len(seen) == IMAGES // 50
    later = seen[FIRST // 50 - 1 :]
    assert max(later) - later[0] < MOST_GROWTH
