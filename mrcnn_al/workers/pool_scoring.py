"""The scores of a pool from several workers."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from mrcnn_al.config import Config
from mrcnn_al.errors import UserError
from mrcnn_al.learners.base import Learner
from mrcnn_al.progress import progress
from mrcnn_al.score_table import ScoreRecord, record_from_line, record_to_line
from mrcnn_al.uncertainty.score_row import ScoreRow
from mrcnn_al.workers.image_scorer import ScoringJob
from mrcnn_al.workers.spread import Worker, spread


class Hire(Protocol):
    """How to get a worker for one of the places from 0."""

    def __call__(self, job: ScoringJob, place: int) -> Worker: ...


class PoolScoring:
    """Scores a pool by several workers, bit for bit as the process of the run would alone.

    An image is scored by itself, with passes drawn from its own id, so that it does not matter
    who scores it or when. What could matter is another processor or library on another machine:
    each worker first scores an image that this process has scored, too.

    Args:
        config: of the run.
        cache: folder of the image sets.
        hire: how to get a worker.
        count: workers at the same time.
        say: takes lines for the user.
    """

    def __init__(
        self,
        config: Config,
        cache: Path,
        hire: Hire,
        count: int,
        say: Callable[[str], None] = print,
    ):
        run = config.run
        # A worker may have another current folder.
        data = None if run.data is None else str(Path(run.data).resolve())
        self._config = dataclasses.replace(config, run=dataclasses.replace(run, data=data))
        self._cache, self._hire, self._count, self._say = cache.resolve(), hire, count, say

    def rows(
        self,
        learner: Learner,
        weights: Path,
        image_ids: Sequence[str],
        seed: int,
        title: str,
        keep: Callable[[ScoreRow], None] = lambda row: None,
    ) -> list[ScoreRow]:
        """The scores of each image, with a progress bar.

        Args:
            learner: of this process, with the weights that the file holds.
            weights: file of the iteration.
            image_ids: of the pool.
            seed: of the stochastic passes.
            title: of the progress bar.
            keep: is given the scores of each image as soon as they are there, in any order.

        Raises:
            UserError: a worker cannot use what it is given or has other scores than this process,
                or one worker after the other was lost.
        """
        if not image_ids:
            return []
        first, *others = image_ids
        (row,) = learner.score([first], seed, f"{title}, one image here", keep)
        known = record_to_line(ScoreRecord(row))
        job = ScoringJob(self._config.to_yaml(), str(weights.resolve()), str(self._cache), seed)

        def hire(place: int) -> Worker:
            return _Checked(self._hire(job, place), first, known)

        with progress(title, len(others), "images") as advance:

            def arrived(line: dict[str, str]) -> None:
                keep(record_from_line(line).row)
                advance()

            lines = spread(others, hire, self._count, arrived, self._say)
        return [record_from_line(line).row for line in (known, *lines)]


class _Checked(Worker):
    """A worker who must give one image the scores that are known."""

    def __init__(self, worker: Worker, image_id: str, line: dict[str, str]):
        self._worker, self._image_id, self._line = worker, image_id, line

    def open(self) -> None:
        self._worker.open()
        line = self._worker.do(self._image_id)
        different = [name for name, value in self._line.items() if line[name] != value]
        if different:
            name = different[0]
            raise UserError(
                f"{self._worker} scores the image {self._image_id} otherwise than this process: "
                f"{name} is {line[name]}, not {self._line[name]}. Its run would be another one. "
                "Use machines with the same kind of processor, or GPU, and the same libraries."
            )

    def do(self, task: str) -> dict[str, str]:
        return self._worker.do(task)

    def end(self) -> None:
        self._worker.end()
