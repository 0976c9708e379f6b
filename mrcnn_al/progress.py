"""Progress bars with rates and remaining time."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

SECONDS_BETWEEN_LINES = 30.0


@contextlib.contextmanager
def progress(description: str, total: int, unit: str) -> Iterator[Callable]:
    """Shows how far a long task is, on standard error.

    A bar in a terminal, else a line now and then and one when the task ends.

    Args:
        description: what is done.
        total: how many units there are.
        unit: what is counted, in the plural.

    Yields:
        advance(count=1, note=""): to be called as the task goes on.
    """
    if sys.stderr.isatty():
        yield from _bar(description, total, unit)
        return
    yield from _lines(description, total, unit)


def _lines(description, total, unit):
    begin = shown = time.perf_counter()
    done, last = 0, ""

    def show() -> None:
        seconds = time.perf_counter() - begin
        rate = done / max(seconds, 1e-9)
        line = f"{description}: {done}/{total} {unit}, {seconds:.1f} s, {rate:.2f} {unit}/s"
        if 0 < done < total:
            line += f", {(total - done) / rate:.0f} s left"
        line = f"{line} {last}"
        print(line.rstrip(), file=sys.stderr, flush=True)

    def advance(count: int = 1, note: str = "") -> None:
        nonlocal done, last, shown
        done, last = done + count, note
        if time.perf_counter() - shown > SECONDS_BETWEEN_LINES:
            shown = time.perf_counter()
            show()

    yield advance
    show()


def _bar(description, total, unit):
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("<"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    begin, done = time.perf_counter(), 0
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total, rate="", note="")

        def advance(count: int = 1, note: str = "") -> None:
            nonlocal done
            done += count
            rate = done / max(time.perf_counter() - begin, 1e-9)
            bar.update(task, advance=count, rate=f"{rate:.2f} {unit}/s", note=note)

        yield advance
