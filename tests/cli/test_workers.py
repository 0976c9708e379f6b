"""What --workers and --ray refuse."""

import sys

import pytest

from mrcnn_al.cli.main import main


@pytest.fixture(params=["train", "compare"])
def call(request, tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder: exit code and message."""
    monkeypatch.chdir(tmp_path)

    def called(*arguments):
        words = ["mrcnn-al", request.param, "--out", "out", "--cache", "cache", *arguments]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
        assert not list(tmp_path.glob("out/*"))
        return ended.value.code, capsys.readouterr().err

    return called


def test_nobody_to_work(call):
    assert call("--workers", "0") == (2, "mrcnn-al: workers is 0; it must be 1 or more.\n")


def test_without_ray_it_is_told_how_to_install_it(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, message = call("--ray", "auto")
    assert code == 2
    assert 'pip install "mrcnn-al[ray]"' in message


@pytest.mark.parametrize("address", ["127.0.0.1:1", "somewhere", "no.such.machine.invalid:6379"])
def test_a_cluster_that_is_not_there(call, address):
    pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")
    code, message = call("--ray", address)
    assert code == 2
    assert f"--ray {address}: there is no such Ray cluster" in message
