"""A stream of training batches, made in the background, the same whatever the threads."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.training.examples import ExampleMaker

AHEAD = 4


def training_batches(
    image_ids: Sequence[str],
    load: Callable[[str], tuple[np.ndarray, Instances]],
    maker: ExampleMaker,
    batch_size: int,
    steps: int,
    seed: int,
) -> Iterator[dict]:
    """Batches for `MaskRCNN.call`, `steps` of them.

    Images come in random order, each once before any comes again. A batch depends only on
    the seed and its number.

    Args:
        image_ids: what to train on.
        load: image id to (uint8 RGB image, instances); called from several threads.
        maker: makes the rows.
        batch_size: rows a batch.
        steps: number of batches.
        seed: of order, augmentation and draws.
    """
    order = _order(len(image_ids), batch_size * steps, seed)

    def row(number: int) -> dict:
        rng = np.random.default_rng((seed, 1, number))
        return maker.make(*load(image_ids[order[number]]), rng)

    def batch(step: int) -> dict:
        rows = [row(number) for number in range(step * batch_size, (step + 1) * batch_size)]
        return {key: np.stack([r[key] for r in rows]) for key in rows[0]}

    with ThreadPoolExecutor(max(1, min(8, os.cpu_count() or 1))) as pool:
        coming = deque(pool.submit(batch, step) for step in range(min(AHEAD, steps)))
        for step in range(steps):
            result = coming.popleft().result()
            if step + AHEAD < steps:
                coming.append(pool.submit(batch, step + AHEAD))
            yield result


def _order(images: int, rows: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng((seed, 0))
    rounds = [rng.permutation(images) for _ in range(-(-rows // images))]
    return np.concatenate(rounds)[:rows]
