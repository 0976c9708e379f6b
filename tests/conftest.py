"""What several tests need."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

# As the commands have it, some of which are called in the same process: the last bits of scores
# hang on it, and TensorFlow reads it only once.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Many tests compile the same small programs anew, which on JAX takes most of their time. A folder
# for each process, as JAX does not write these files atomically.
_COMPILED = PROJECT / ".pytest_cache" / "jax" / os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_COMPILED))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "0")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--processor-time",
        metavar="FILE",
        help="write a table of the processor time of each test file",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.option.processor_time:
        from processor_time import ProcessorTime

        config.pluginmanager.register(ProcessorTime(Path(config.option.processor_time)))
    # pycocotools 2.0 and NumPy 2 disagree about a keyword; the masks are right.
    config.addinivalue_line(
        "filterwarnings", "ignore:__array__ implementation doesn't accept:DeprecationWarning"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that no process has one left when the other is done.

    Raises:
        pytest.UsageError: a test's name holds an address in memory.
    """
    addresses = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if addresses:
        raise pytest.UsageError(
            "the names of these tests differ from process to process, so that parallel ones "
            "cannot share them; give their parameters readable ids: " + ", ".join(addresses)
        )
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A parallel worker hands its deviations to the process that prints the table."""
    if hasattr(session.config, "workeroutput"):
        import deviations

        session.config.workeroutput["deviations"] = deviations.SEEN


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error) -> None:
    """The other end of that."""
    import deviations

    deviations.merge(getattr(node, "workeroutput", {}).get("deviations", {}))


def pytest_terminal_summary(terminalreporter) -> None:
    """The table of deviations from the reference, when the tests against it ran."""
    import deviations

    if deviations.SEEN:
        import keras

        terminalreporter.section("agreement with the reference")
        terminalreporter.write_line("\n".join(deviations.table(keras.backend.backend())))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the project ($MRCNN_AL_SHARED, default ../shared)."""
    folder = Path(os.environ.get("MRCNN_AL_SHARED") or PROJECT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no reference data: {folder} does not exist (set MRCNN_AL_SHARED)")
    return folder


@pytest.fixture(scope="session")
def dsb_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder for all tests on the real Data Science Bowl, which takes seconds to parse."""
    return tmp_path_factory.mktemp("dsb_cache")
