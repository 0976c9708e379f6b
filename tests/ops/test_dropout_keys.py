"""Random numbers from keys: the numbers themselves, their rates, their independence."""

import zlib

import numpy as np
import pytest
from keras import ops

from mrcnn_al.ops import random

pytestmark = pytest.mark.every_backend


def numpy(value):
    return ops.convert_to_numpy(value)


def keys(values):
    return ops.convert_to_tensor(np.asarray(values, np.int32))


def lowbias32(value):
    value &= 0xFFFFFFFF
    value ^= value >> 16
    value = value * 0x7FEB352D & 0xFFFFFFFF
    value ^= value >> 15
    value = value * 0x846CA68B & 0xFFFFFFFF
    value ^= value >> 16
    return value - (1 << 32) if value >= 1 << 31 else value


def test_mix_is_lowbias32():
    values = [0, 1, 2, -1, 12345, -987654321, 2**31 - 1, -(2**31)]
    np.testing.assert_array_equal(numpy(random.mix(keys(values))), [lowbias32(v) for v in values])


def test_mix_never_collides():
    assert len(np.unique(numpy(random.mix(keys(np.arange(-50000, 50000)))))) == 100000


def test_combine_depends_on_both_and_on_their_order():
    one, other = keys(np.arange(300))[:, None], keys(np.arange(300))[None]
    combined = numpy(random.combine(one, other))
    assert len(np.unique(combined)) > 89990
    assert combined[3, 5] == lowbias32(lowbias32(3) + 5)
    assert combined[3, 5] != combined[5, 3]


def test_salt_is_the_signed_checksum_of_a_name():
    names = ["mrcnn_class_dropout1", "mrcnn_class_dropout2", "mrcnn_mask_dropout1"]
    salts = [random.salt(name) for name in names]
    assert len(set(salts)) == 3
    for name, salt in zip(names, salts, strict=True):
        assert -(2**31) <= salt < 2**31
        assert salt % (1 << 32) == zlib.crc32(name.encode())


def test_uniform_is_uniform():
    drawn = numpy(random.uniform(keys(np.arange(100000))))
    assert drawn.dtype == np.float32
    assert drawn.min() >= 0
    assert drawn.max() < 1
    shares = np.histogram(drawn, 20, (0, 1))[0] / 100000
    # Four standard deviations of a share of 1 in 20.
    assert np.abs(shares - 0.05).max() < 4 * np.sqrt(0.05 * 0.95 / 100000)


def test_values_that_every_backend_must_give():
    drawn = numpy(random.uniform(keys([0, 1, -7])))
    np.testing.assert_array_equal(drawn * 2**24, [0, 6850960, 10960283])
    mask, share = random.keep_mask(keys([1, -7]), 16, 0.5)
    assert share == 0.5
    rows = ["".join(row) for row in np.where(numpy(mask), "1", "0")]
    assert rows == ["0010100110011010", "0001110000010100"]


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_the_rate_is_kept_to_and_the_share_is_exact(rate):
    mask, share = random.keep_mask(keys(np.arange(400)), 1000, rate)
    assert share == 1 - round(rate * 256) / 256
    assert abs(share - (1 - rate)) <= 1 / 512
    spread = np.sqrt(share * (1 - share) / 400000)
    assert abs(numpy(mask).mean() - share) < 4 * spread


def test_rate_zero_keeps_everything():
    mask, share = random.keep_mask(keys([5, 6]), 37, 0.0)
    assert share == 1
    assert numpy(mask).all()


def test_rows_and_features_are_independent():
    mask = numpy(random.keep_mask(keys(np.arange(200)), 1000, 0.5)[0]).astype(float)
    for table in (mask, mask.T[:200]):
        correlation = np.corrcoef(table) - np.eye(200)
        # Five standard deviations, for 20 000 pairs.
        assert np.abs(correlation).max() < 5.5 / np.sqrt(table.shape[1])


def test_a_row_does_not_depend_on_the_other_rows_nor_on_the_width():
    mask = numpy(random.keep_mask(keys([3, 8, 5]), 20, 0.5)[0])
    alone = numpy(random.keep_mask(keys([8]), 20, 0.5)[0])
    narrow = numpy(random.keep_mask(keys([8]), 7, 0.5)[0])
    np.testing.assert_array_equal(mask[1], alone[0])
    np.testing.assert_array_equal(mask[1, :7], narrow[0])
