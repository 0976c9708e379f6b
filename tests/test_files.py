import json
import os
import subprocess
import sys

import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.files import read_json, read_text, replacing, write_json, write_text


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file_and_no_litter(tmp_path, error):
    path = tmp_path / "state.json"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half of the n")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["state.json"]


def test_a_process_that_dies_leaves_the_old_file(tmp_path):
    path = tmp_path / "state.json"
    path.write_text("old")
    program = (
        "import os, sys; from mrcnn_al.files import replacing\n"
        "with replacing(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half of the n'); os._exit(9)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program, str(path)], env=environment, check=False)
    assert done.returncode == 9
    assert path.read_text() == "old"


def test_replacing_makes_the_folder_and_respects_the_umask(tmp_path):
    path = tmp_path / "deep" / "er" / "file.txt"
    mask = os.umask(0o027)
    try:
        write_text(path, "grün")
    finally:
        os.umask(mask)
    assert read_text(path) == "grün"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(path.parent) == ["file.txt"]


def test_a_missing_temporary_file_is_an_error_and_the_old_file_stays(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replacing(path) as temporary:
        temporary.unlink()
    assert path.read_text() == "old"


def test_json_survives_and_nan_is_refused(tmp_path):
    value = {"ids": ["a", "ü"], "number": 0.1, "none": None}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert read_json(tmp_path / "a.json") == value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1,\n}', "not valid JSON.*line 2"),
        (b"", "not valid JSON"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"1" * 5000, "cannot be read"),
    ],
)
def test_broken_json_is_named(tmp_path, content, message):
    path = tmp_path / "pool.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_json(path, "pool state")
    assert str(path) in str(caught.value)
    assert "pool state" in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"run state .*gone\.json does not exist"):
        read_json(tmp_path / "gone.json", "run state")


def test_json_is_readable_by_others(tmp_path):
    write_json(tmp_path / "a.json", [1, 2])
    assert json.loads((tmp_path / "a.json").read_bytes()) == [1, 2]
    assert (tmp_path / "a.json").read_bytes().endswith(b"]\n")
