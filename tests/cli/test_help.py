import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from mrcnn_al.cli.main import main

sys.argv[0] = "mrcnn-al"
try:
    main()
except SystemExit as ended:
    print(json.dumps([ended.code, sorted(sys.modules)]), file=sys.stderr)
"""
COMMANDS = ("train", "compare", "reproduce", "evaluate", "predict", "report", "datasets", "weights")


def call(*arguments):
    """Exit code, output and the modules that were imported."""
    command = [sys.executable, "-c", SCRIPT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code or 0, done.stdout, set(modules)


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)])
def test_help_is_quick(arguments):
    code, text, modules = call(*arguments, "--help")
    assert code == 0
    assert text.startswith("Usage: mrcnn-al")
    heavy = {"tensorflow", "keras", "matplotlib", "jax", "torch", "scipy", "skimage", "numpy"}
    heavy |= {"pycocotools", "PIL", "h5py", "ray"}
    assert not heavy & modules


def test_every_strategy_is_listed():
    from mrcnn_al.strategies import strategy_names

    _, text, _ = call("train", "--help")
    named = "".join(text.split()).split("--strategyTEXT")[1].split(".")[0]
    assert tuple(named.split(",")) == strategy_names()


def test_every_command_is_listed():
    _, text, _ = call("-h")
    listed = [line.split()[0] for line in text.split("Commands:")[1].splitlines() if line.strip()]
    assert listed == list(COMMANDS)


def test_version():
    code, text, _ = call("--version")
    assert (code, text.split()[-1]) == (0, "0.1.0")


def test_an_unknown_command():
    code, _, _ = call("trane")
    assert code == 2


def test_the_installed_script():
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="mrcnn-al")
    assert script.value == "mrcnn_al.cli.main:main"
