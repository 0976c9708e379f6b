import numpy as np
import pytest

from mrcnn_al.datasets import ragged
from mrcnn_al.datasets.ragged import gathered, offsets


def test_offsets():
    assert offsets(np.array([2, 0, 3])).tolist() == [0, 2, 2, 5]
    assert offsets(np.zeros(0, np.int64)).tolist() == [0]


@pytest.mark.parametrize("block", [1, 3, 2**15])
@pytest.mark.parametrize("count", [0, 1, 40])
def test_rows_are_gathered_in_any_order(monkeypatch, block, count):
    monkeypatch.setattr(ragged, "_BLOCK", block)
    rng = np.random.default_rng(count)
    values = rng.random(100)
    lengths = rng.integers(0, 5, count)
    begins = rng.integers(0, 95, count)
    expected = [values[b : b + n] for b, n in zip(begins, lengths, strict=True)]
    found = gathered(values, begins, lengths)
    assert found.tolist() == np.concatenate([np.zeros(0), *expected]).tolist()
    assert found.dtype == values.dtype
