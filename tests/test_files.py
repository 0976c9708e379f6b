import json
import os
import subprocess
import sys

import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.files import (
    leftovers,
    read_json,
    read_text,
    remove_leftovers,
    replacing,
    write_json,
    write_text,
)


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


def die_while_replacing(*paths):
    """A process of its own begins to write each of the files and ends as if killed."""
    program = (
        "import contextlib, os, sys; from mrcnn_al.files import replacing\n"
        "with contextlib.ExitStack() as stack:\n"
        "    for path in sys.argv[1:]:\n"
        "        stack.enter_context(replacing(path)).write_text('half of the n')\n"
        "    os._exit(9)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, *map(str, paths)]
    assert subprocess.run(command, env=environment, check=False).returncode == 9


def test_a_process_that_dies_leaves_the_old_file(tmp_path):
    path = tmp_path / "state.json"
    path.write_text("old")
    die_while_replacing(path)
    assert path.read_text() == "old"


def test_what_dead_processes_leave_is_found_and_removed(tmp_path):
    names = ("state.json", "no suffix", "two.dots.gz", ".hidden")
    for name in names:
        (tmp_path / name).write_text("old")
    die_while_replacing(*(tmp_path / name for name in names))
    assert len(list(tmp_path.iterdir())) == 2 * len(names)
    for name in names:
        (path,) = leftovers(tmp_path, [name])
        assert path.read_text() == "half of the n"
    assert set(leftovers(tmp_path)) == {p for n in names for p in leftovers(tmp_path, [n])}
    remove_leftovers(tmp_path, ["state.json", "state", "dots.gz"])
    assert len(leftovers(tmp_path)) == len(names) - 1
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_only_temporary_files_are_leftovers(tmp_path):
    for name in (".gitignore", "state.ab12cd34.json", ".state.json", ".state.xyzw1234.json"):
        (tmp_path / name).touch()
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / ".state.ab12cd34.json").touch()
    assert leftovers(tmp_path) == []
    assert leftovers(tmp_path / "gone") == []


def test_a_file_that_is_being_written_is_not_idle(tmp_path):
    with replacing(tmp_path / "state.json") as temporary:
        temporary.touch()
        assert leftovers(tmp_path, idle_seconds=60) == []
        os.utime(temporary, (0, 0))
        assert leftovers(tmp_path, idle_seconds=60) == [temporary]
        assert leftovers(tmp_path, ["other.json"], idle_seconds=60) == []


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
