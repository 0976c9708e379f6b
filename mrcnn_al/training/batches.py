"""Streams of batches, made in the background, the same whatever the threads."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from mrcnn_al.datasets.base import Load
from mrcnn_al.training.examples import ExampleMaker

MOST_WORKERS = 32
LEAST_PREFETCH = 4


@dataclass(frozen=True)
class Batch:
    """One batch and where it comes from.

    Attributes:
        image_ids: of its rows.
        inputs: of `MaskRCNN.call`.
    """

    image_ids: tuple[str, ...]
    inputs: dict[str, np.ndarray]


@dataclass(frozen=True)
class Pipeline:
    """How batches are made; it changes their speed, not their values.

    Attributes:
        workers: threads; None: one for each processor that this process may use, 32 at most.
            Threads do, because decoding, scaling and NumPy's work on whole arrays run outside
            Python's lock.
        prefetch: batches ahead of the one in use; None: two rows for each worker, and four
            batches at least.
    """

    workers: int | None = None
    prefetch: int | None = None

    def worker_count(self) -> int:
        """The threads there are."""
        return self.workers or min(MOST_WORKERS, processors())

    def rows_ahead(self, batch_size: int) -> int:
        """How many rows are in the making or wait to be used."""
        batches = self.prefetch or max(LEAST_PREFETCH, -(-2 * self.worker_count() // batch_size))
        return batches * batch_size


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def training_batches(
    image_ids: Sequence[str],
    load: Load,
    maker: ExampleMaker,
    batch_size: int,
    steps: int,
    seed: int,
    first_step: int = 0,
    pipeline: Pipeline | None = None,
) -> Iterator[Batch]:
    """The batches of a training.

    Images come in random order, each once before any comes again. A batch depends only on
    the seed and its number, so a training can go on at any step.

    Args:
        image_ids: what to train on.
        load: image id to (uint8 RGB image, instances); called from several threads.
        maker: makes the rows.
        batch_size: rows a batch.
        steps: number of batches of the whole training.
        seed: of order, augmentation and draws.
        first_step: the number, from 0, of the first batch that is wanted.
        pipeline: how many threads, how far ahead.
    """
    rng = np.random.default_rng((seed, 0))
    rounds = -(-batch_size * steps // len(image_ids))
    order = np.concatenate([rng.permutation(len(image_ids)) for _ in range(rounds)])
    rows = [image_ids[index] for index in order[: batch_size * steps]]
    return _batches(rows, load, maker, batch_size, (seed, 1), first_step, pipeline or Pipeline())


def fixed_batches(
    image_ids: Sequence[str],
    load: Load,
    maker: ExampleMaker,
    batch_size: int,
    pipeline: Pipeline | None = None,
) -> Iterator[Batch]:
    """Each image once, in order, the same at every call; the last batch is filled from the start.

    The arguments are those of `training_batches`.
    """
    count = -(-len(image_ids) // batch_size) * batch_size
    rows = [image_ids[index % len(image_ids)] for index in range(count)]
    return _batches(rows, load, maker, batch_size, (0, 2), 0, pipeline or Pipeline())


def _batches(rows, load, maker, size, key, first_step, pipeline):
    def make(number: int) -> dict:
        rng = np.random.default_rng((*key, number))
        return maker.make(*load(rows[number]), rng)

    pool = ThreadPoolExecutor(pipeline.worker_count())
    try:
        ahead = pipeline.rows_ahead(size)
        numbers = iter(range(first_step * size, len(rows)))
        coming = deque(pool.submit(make, number) for number in islice(numbers, ahead))
        for start in range(first_step * size, len(rows), size):
            made = [coming.popleft().result() for _ in range(size)]
            coming.extend(pool.submit(make, number) for number in islice(numbers, size))
            inputs = {name: np.stack([row[name] for row in made]) for name in made[0]}
            yield Batch(tuple(rows[start : start + size]), inputs)
    finally:
        # After an error, or when training stops early, nobody wants the rest.
        pool.shutdown(cancel_futures=True)
