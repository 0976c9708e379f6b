"""Workers that are processes of this machine."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

from mrcnn_al.errors import UserError
from mrcnn_al.workers.environment import SHARED_GPU_MEMORY, same_threads
from mrcnn_al.workers.image_scorer import ScoringJob
from mrcnn_al.workers.spread import Worker, WorkerLost

_LAST_BYTES = 2000
_GPUS = "CUDA_VISIBLE_DEVICES"


class LocalWorker(Worker):
    """Scores images in a process of the same Python and environment; see `workers/child.py`.

    Args:
        job: what it scores with.
        place: from 0; where there are GPUs, they are dealt out by it.
    """

    def __init__(self, job: ScoringJob, place: int):
        reading, writing = os.pipe()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            # A session of its own: Ctrl-C is for this process, which ends the others.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mrcnn_al.workers.child", str(writing)],
                stdin=subprocess.PIPE,
                stdout=self._said,
                stderr=subprocess.STDOUT,
                pass_fds=(writing,),
                env={**os.environ, **same_threads(), **SHARED_GPU_MEMORY, **_one_gpu(place)},
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )
        finally:
            os.close(writing)
        self._answers = os.fdopen(reading, encoding="utf-8")
        self._asking = threading.Lock()
        self._job = job

    def __str__(self):
        return f"process {self._process.pid}"

    def open(self) -> None:
        """See Worker."""
        self._ask(self._job.to_dict())

    def do(self, task: str) -> dict[str, str]:
        """The scores of an image, as ImageScorer.line has them; see Worker."""
        return self._ask(task)["line"]

    def end(self) -> None:
        """See Worker."""
        self._process.kill()
        # Who waits for an answer, in another thread, sees the end of the pipe first.
        with self._asking:
            self._process.wait()
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._answers.close()
            self._said.close()

    def _ask(self, question):
        with self._asking:
            if self._answers.closed:
                raise WorkerLost(f"{self} was ended")
            try:
                self._process.stdin.write(json.dumps(question) + "\n")
                self._process.stdin.flush()
                text = self._answers.readline()
            except BrokenPipeError:
                text = ""
            if not text.endswith("\n"):
                raise WorkerLost(self._end_of_it())
        answer = json.loads(text)
        if "error" in answer:
            raise UserError(answer["error"])
        return answer

    def _end_of_it(self) -> str:
        status = self._process.wait()
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - _LAST_BYTES))
        words = self._said.read().decode(errors="replace").strip()
        return f"{self} ended with status {status}" + (f", saying:\n{words}" if words else "")


def _one_gpu(place: int) -> dict[str, str]:
    """An environment in which a process sees one of the GPUs that this one sees."""
    if _GPUS in os.environ:
        names = [name for name in os.environ[_GPUS].split(",") if name.strip()]
    else:
        names = list(map(str, range(_count_gpus())))
    return {_GPUS: names[place % len(names)]} if names else {}


def _count_gpus() -> int:
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    listed = subprocess.run([program, "--list-gpus"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
