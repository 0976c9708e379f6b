"""What several tests need."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from amount import ALL, REDUCED
from processor_time import ProcessorTime

PROJECT = Path(__file__).resolve().parents[1]

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
# What a run says of itself is written here, too.
REPORTS = PROJECT / ".pytest_cache"

# The names of the tests that are left out.
LEFT_OUT: set[str] = set()
MOST_NAMES = 40

# As the commands have it, some of which are called in the same process: the last bits of scores
# hang on it, and TensorFlow reads it only once.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# A learner that the tests bring, known to each process that they begin; see there.
_PLUGIN = str(PROJECT / "tests" / "plugin")
sys.path.insert(0, _PLUGIN)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (_PLUGIN, os.environ.get("PYTHONPATH"))))

# Many tests compile the same small programs anew, which on JAX takes most of their time. A folder
# for each process, as JAX does not write these files atomically.
if BACKEND == "jax":
    _COMPILED = REPORTS / "jax" / os.environ.get("PYTEST_XDIST_WORKER", "main")
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_COMPILED))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "0")
    # What is compiled is run a few times only, and need not be fast.
    os.environ.setdefault(
        "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    )

# Parallel processes whose threads wait for one another by spinning take each other's time.
if "PYTEST_XDIST_WORKER" in os.environ and BACKEND == "torch":
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all",
        action="store_true",
        default=bool(os.environ.get(ALL)),
        help="what is left out otherwise, too: repetition (`make test-all`)",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Parallel processes and test modules, which have no configuration at hand, read it there.
    if config.option.all:
        os.environ[ALL] = "1"
    config.pluginmanager.register(ProcessorTime(REPORTS / "processor_time" / f"{BACKEND}.md"))
    # pycocotools 2.0 and NumPy 2 disagree about a keyword; the masks are right.
    config.addinivalue_line(
        "filterwarnings", "ignore:__array__ implementation doesn't accept:DeprecationWarning"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out repetition; files with slow tests come first.

    No process has one left then when the other is done.

    Raises:
        pytest.UsageError: a test's name holds an address in memory.
    """
    addresses = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if addresses:
        raise pytest.UsageError(
            "the names of these tests differ from process to process, so that parallel ones "
            "cannot share them; give their parameters readable ids: " + ", ".join(addresses)
        )
    if not config.option.all:
        repeated = [item for item in items if item.get_closest_marker("repetition")]
        config.hook.pytest_deselected(items=repeated)
        items[:] = [item for item in items if item not in repeated]
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Here come those that `-m` leaves out, too."""
    LEFT_OUT.update(item.nodeid for item in items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A parallel worker hands what it has seen to the process that prints it."""
    if hasattr(session.config, "workeroutput"):
        import deviations

        session.config.workeroutput["deviations"] = deviations.SEEN
        session.config.workeroutput["left_out"] = sorted(LEFT_OUT)
        session.config.workeroutput["reduced"] = dict(REDUCED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error) -> None:
    """The other end of that."""
    import deviations

    output = getattr(node, "workeroutput", {})
    deviations.merge(output.get("deviations", {}))
    LEFT_OUT.update(output.get("left_out", ()))
    REDUCED.update(output.get("reduced", {}))


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """What was left out, and how far the tests against the reference deviate from it."""
    import deviations

    if hasattr(config, "workeroutput"):
        return
    _tell_left_out(terminalreporter)
    if deviations.SEEN:
        import keras

        terminalreporter.section("agreement with the reference")
        terminalreporter.write_line("\n".join(deviations.table(keras.backend.backend())))


def _tell_left_out(terminalreporter) -> None:
    """On the terminal, and in a file, so that `make test` can say it at its very end."""
    few = [f"{what}: {few} of {many}" for what, (few, many) in sorted(REDUCED.items())]
    files = Counter(name.partition("::")[0] for name in sorted(LEFT_OUT))
    named = sorted(LEFT_OUT) if len(LEFT_OUT) < MOST_NAMES else []
    counted = [] if named else [f"{count} tests of {file}" for file, count in files.items()]
    lines = [*few, *named, *counted]
    path = REPORTS / "left_out" / f"{BACKEND}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{BACKEND}: {line}\n" for line in lines), encoding="utf-8")
    if lines:
        terminalreporter.section("left out; make test-all runs it")
        terminalreporter.write_line("\n".join(lines))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the project ($MRCNN_AL_SHARED, default ../shared)."""
    folder = Path(os.environ.get("MRCNN_AL_SHARED") or PROJECT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no reference data: {folder} does not exist (set MRCNN_AL_SHARED)")
    return folder


@pytest.fixture(scope="session")
def dsb_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder for all tests on the real Data Science Bowl, which takes seconds to parse.

    Parallel processes share it.
    """
    parallel = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp()
    return (base.parent if parallel else base) / "dsb_cache"
