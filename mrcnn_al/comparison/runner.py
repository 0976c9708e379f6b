"""Doing all runs of a comparison, each in a process of its own."""

import dataclasses
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrcnn_al.comparison.first_iteration import take_first_iteration
from mrcnn_al.comparison.jobs import Job, jobs_of
from mrcnn_al.comparison.outputs import write_outputs
from mrcnn_al.comparison.plan import Plan, uses_scores
from mrcnn_al.comparison.processes import Child, RunProcess, end_all, ending_on_sigterm
from mrcnn_al.comparison.ray_runs import RayRuns
from mrcnn_al.comparison.results import Results, has_ended, read_results
from mrcnn_al.comparison.store import ComparisonStore
from mrcnn_al.config import Config
from mrcnn_al.datasets.subsets import open_subset
from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.coco_map import as_text
from mrcnn_al.evaluation.learning_curve import read_curve
from mrcnn_al.progress import progress
from mrcnn_al.run_store import RunStore, cache_beside
from mrcnn_al.workers.cluster import Cluster

_SECONDS_BETWEEN_LOOKS = 0.2
# A run whose process is killed, for want of memory or with its machine, is begun again.
_MOST_KILLS = 3


class RunsFailed(UserError):
    """Some runs of a comparison did not come to their end; the others did."""


def run_plan(
    plan: Plan,
    folder: str | os.PathLike,
    workers: int = 1,
    cache: str | os.PathLike | None = None,
    say: Callable[[str], None] = print,
    share: bool = True,
    cluster: Cluster | None = None,
) -> Results:
    """Does all runs of a plan that are not done yet, then writes summary.json and report.html.

    Each run is `mrcnn-al train` in a process of its own, whatever the number of workers, so
    that its result does not depend on that and its memory is given back. When this process
    ends, so do they; called again with the same plan, it goes on where it ended.

    Args:
        plan: of the comparison.
        folder: new, empty, or that of the same comparison.
        workers: runs at the same time.
        cache: of the image sets; `.cache` beside `folder` by default.
        say: takes lines for the user.
        share: train the first iteration once for all arms of a repeat that train alike. The
            results are the same without.
        cluster: whose machines do the runs; this one without. They must share the folder.

    Returns:
        What all the runs have found.

    Raises:
        UserError: the folder holds something else or is in use, or the images are not usable, or
            not on all machines.
        RunsFailed: some of the runs failed; the results of the others are written.
    """
    if workers < 1:
        raise UserError(f"workers is {workers}; it must be 1 or more.")
    store = ComparisonStore(folder)
    store.check(plan)
    cache = cache_beside(store.folder) if cache is None else Path(cache)
    pool, labelled = _sizes(plan, cache, say)
    with store.opened(plan):
        begin = Child if cluster is None else RayRuns(cluster, store, plan, cache).begin
        jobs = jobs_of(plan, pool, labelled, share)
        failures = _Runs(store, jobs, workers, cache, say, begin).do()
        write_outputs(store.folder)
    if failures:
        raise RunsFailed(
            f"{len(failures)} of {len(jobs)} runs are not finished:\n  "
            + "\n  ".join(failures)
            + "\nThe same command tries them again; the results of the others are in "
            f"{store.report_path}."
        )
    return read_results(store.folder)


@dataclass
class _Running:
    job: Job
    child: RunProcess
    seen: int


class _Runs:
    """The runs of a comparison that are to be done."""

    def __init__(
        self,
        store: ComparisonStore,
        jobs: Sequence[Job],
        workers: int,
        cache: Path,
        say: Callable[[str], None],
        begin: Callable[[list[str], Path], RunProcess],
    ):
        self.store, self.workers, self.cache, self.say = store, workers, cache, say
        self.begin = begin
        self.jobs = {(job.repeat, job.name): job for job in jobs}
        self.waiting: list[Job] = []
        self.running: list[_Running] = []
        self.kills: Counter[tuple[int, str]] = Counter()
        self.failed: dict[tuple[int, str], str] = {}
        self.told: list[Job] = []

    def do(self) -> list[str]:
        """Does them; returns what to say of each that failed."""
        self.waiting = self._needed()
        # What an earlier call has done is no part of the bar, or the time left would be wrong.
        total = sum(job.config.run.iterations - self._points(job) for job in self.waiting)
        done = len(self.jobs) - len(self.waiting)
        if done:
            self.say(f"{done} of {len(self.jobs)} runs are done already or not needed any more")
        with ending_on_sigterm(), progress("comparison", total, "iterations") as advance:
            try:
                while self.waiting or self.running:
                    self.waiting = self._start(self.waiting, advance)
                    time.sleep(_SECONDS_BETWEEN_LOOKS)
                    for running in list(self.running):
                        self._look_at(running, advance)
            finally:
                end_all(running.child for running in self.running)
        return list(self.failed.values())

    def _needed(self) -> list[Job]:
        unfinished = [job for job in self.jobs.values() if not self._is_finished(job)]
        firsts = {job.first for job in self.jobs.values()} - {None}
        wanted = {
            (job.repeat, job.first)
            for job in unfinished
            if job.first and not self._run(job).iteration(1).metrics_path.exists()
        }
        return [j for j in unfinished if j.name not in firsts or (j.repeat, j.name) in wanted]

    def _start(self, waiting: list[Job], advance: Callable) -> list[Job]:
        """Starts what can be; returns what is still waiting."""
        left = []
        for job in waiting:
            key = (job.repeat, job.first)
            first = self.jobs.get(key)
            if first is not None and key in self.failed:
                self._fail(job, f"{job}: not begun, because {first} failed")
                advance(job.config.run.iterations - self._points(job))
            elif len(self.running) < self.workers and self._may_begin(job, first):
                self._begin(job, first)
            else:
                left.append(job)
        return left

    def _may_begin(self, job: Job, first: Job | None) -> bool:
        begun = first is None or self._run(job).iteration(1).metrics_path.exists()
        return (begun or self._is_finished(first)) and not self._is_in_use(job)

    def _is_in_use(self, job: Job) -> bool:
        """A process of a comparison that was killed may take a moment to notice."""
        run = self._run(job)
        if not run.folder.exists():
            return False
        try:
            with run.lock():
                return False
        except UserError as error:
            if job not in self.told:
                self.told.append(job)
                self.say(f"{job} waits: {error}")
            return True

    def _begin(self, job: Job, first: Job | None) -> None:
        run = self._run(job)
        if run.config_path.exists():
            _check_config(run, job.config)
        else:
            RunStore.create(run.folder, job.config.to_yaml())
        if first is not None:
            take_first_iteration(self._run(first), run, uses_scores(job.config))
        arguments = ["train", "--resume", "--out", str(run.folder), "--cache", str(self.cache)]
        if job.config.run.data is not None:
            arguments += ["--data", job.config.run.data]
        child = self.begin(arguments, self.store.log_path(job.repeat, job.name))
        self.running.append(_Running(job, child, self._points(job)))

    def _look_at(self, running: _Running, advance: Callable) -> None:
        # Asked first: what it wrote before its end is read after it.
        status = running.child.status()
        job = running.job
        path = self._run(job).curve_path
        points = read_curve(path) if path.is_file() else []
        for point in points[running.seen :]:
            self.say(
                f"{job} [{point.iteration}/{job.config.run.iterations}]: "
                f"{point.labelled_images} images, {point.labelled_instances} instances, "
                f"AP {as_text(point.AP)}, AP50 {as_text(point.AP50)}"
            )
            advance(1, str(job))
        running.seen = len(points)
        if status is None:
            return
        self.running.remove(running)
        running.child.end(0)
        if status < 0 and self._once_more(job, status):
            return
        if status:
            log = running.child.log_path
            self.say(f"{job} failed, {_ended(status)}; {log} ends with:")
            self.say(running.child.last_words())
            self._fail(job, f"{job}: {_ended(status)}, see {log}")
        # A pool may be used up before all iterations are done.
        advance(job.config.run.iterations - running.seen)

    def _once_more(self, job: Job, status: int) -> bool:
        """Lets a run that was killed go on where it was, unless that has happened too often."""
        key = (job.repeat, job.name)
        self.kills[key] += 1
        if self.kills[key] == _MOST_KILLS:
            return False
        self.say(f"{job}: {_ended(status)}; it goes on where it was")
        self.waiting.insert(0, job)
        return True

    def _fail(self, job: Job, message: str) -> None:
        self.failed[job.repeat, job.name] = message

    def _run(self, job: Job) -> RunStore:
        return RunStore(self.store.run_folder(job.repeat, job.name))

    def _points(self, job: Job) -> int:
        path = self._run(job).curve_path
        return len(read_curve(path)) if path.is_file() else 0

    def _is_finished(self, job: Job) -> bool:
        """The report is the last that a run writes."""
        run = self._run(job)
        return run.report_path.exists() and has_ended(run, job.config.run.iterations)


def _sizes(plan: Plan, cache: Path, say: Callable[[str], None]) -> tuple[int, int]:
    """Images of the pool, and of these what is labelled at the start.

    That the images are usable shows here, before any run, and what is costly to make of them is
    in the cache then.
    """
    run = plan.config(plan.arms[0]).run
    subset = open_subset(
        run.subset, run.data, cache, run.seed, run.skip_broken, run.labelled, run.scale
    )
    say(subset.summary())
    return len(subset.train), len(subset.labelled)


def _check_config(run: RunStore, wanted: Config) -> None:
    """Nobody may have changed a run's settings behind the plan's back."""
    config = Config.from_yaml(run.read_config(), str(run.config_path))
    if config.run.class_names:
        wanted = wanted.fitted_to(config.run.class_names)
    moved = dataclasses.replace(config.run, data=wanted.run.data)
    if dataclasses.replace(config, run=moved) != wanted:
        raise UserError(
            f"The run {run.folder} has other settings than the plan of the comparison says. "
            "Delete that folder, or choose another --out."
        )


def _ended(status: int) -> str:
    return f"exit status {status}" if status > 0 else f"ended by {signal.Signals(-status).name}"
