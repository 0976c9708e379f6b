import gc
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mrcnn_al.datasets.array_file import map_arrays, write_arrays
from mrcnn_al.errors import UserError

CONTENT = {"name": "é \ud800", "numbers": [1, 2**70], "nothing": None}


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "coordinates": rng.random((5, 3)),
        "ids": np.arange(7),
        "flags": np.array([True, False, True]),
        "none": np.zeros(0, np.uint8),
        "turned": np.asfortranarray(rng.integers(0, 9, (2, 3), dtype=np.int32)),
    }


def is_mapped(path: Path) -> bool:
    return str(path) in Path("/proc/self/maps").read_text()


def test_what_is_written_is_read(tmp_path):
    write_arrays(tmp_path / "new" / "a.index", CONTENT, arrays())
    content, found = map_arrays(tmp_path / "new" / "a.index")
    assert content == CONTENT
    assert list(found) == list(arrays())
    for name, array in arrays().items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    with pytest.raises(ValueError, match="read-only"):
        found["ids"][0] = 3
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.index"]


def test_other_files_are_nothing(tmp_path):
    path = tmp_path / "a.index"
    assert map_arrays(path) is None
    assert map_arrays(tmp_path) is None
    for content in (b"", b"mrcnn_al", b"PK\3\4" * 100, b"mrcnn_al" + bytes(16), bytes(1000)):
        path.write_bytes(content)
        assert map_arrays(path) is None


def test_any_damage_is_noticed(tmp_path):
    path = tmp_path / "a.index"
    write_arrays(path, CONTENT, arrays())
    intact = path.read_bytes()
    for position in range(len(intact)):
        path.write_bytes(
            intact[:position] + bytes([intact[position] ^ 16]) + intact[position + 1 :]
        )
        assert map_arrays(path) is None, position
    for length in range(0, len(intact), 7):
        path.write_bytes(intact[:length])
        assert map_arrays(path) is None, length
    path.write_bytes(intact + b"\0")
    assert map_arrays(path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_mapping_ends_with_the_last_array(tmp_path):
    path = tmp_path / "a.index"
    write_arrays(path, CONTENT, arrays())
    _, found = map_arrays(path)
    one = found["coordinates"][1:2]
    assert is_mapped(path)
    del found
    gc.collect()
    assert is_mapped(path)
    assert one.shape == (1, 3)
    del one
    gc.collect()
    assert not is_mapped(path)


def test_a_file_that_is_replaced_stays_readable(tmp_path):
    path = tmp_path / "a.index"
    write_arrays(path, {}, arrays())
    _, found = map_arrays(path)
    write_arrays(path, {}, {"ids": np.zeros(3)})
    np.testing.assert_array_equal(found["coordinates"], arrays()["coordinates"])
    assert list(map_arrays(path)[1]) == ["ids"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"a\.index cannot be written.*another cache folder"):
        write_arrays(tmp_path / "file" / "a.index", {}, arrays())


def _write_and_read(arguments: tuple[Path, int]) -> bool:
    path, number = arguments
    whole = True
    for _ in range(20):
        write_arrays(path, {"writer": number}, {"numbers": np.full(5000, number)})
        content, found = map_arrays(path)
        whole &= bool((found["numbers"] == content["writer"]).all())
    return whole


def test_writers_do_not_disturb_each_other(tmp_path):
    with ProcessPoolExecutor(3) as pool:
        assert all(pool.map(_write_and_read, [(tmp_path / "a.index", n) for n in range(3)]))
    assert [path.name for path in tmp_path.iterdir()] == ["a.index"]
