"""Workers that are actors of a Ray cluster."""

import socket

from mrcnn_al.errors import UserError
from mrcnn_al.workers.cluster import Cluster
from mrcnn_al.workers.environment import computing_environment, take_environment
from mrcnn_al.workers.image_scorer import ImageScorer, ScoringJob
from mrcnn_al.workers.spread import Worker, WorkerLost


class RayWorker(Worker):
    """Scores images in a process that Ray places on one of its machines.

    Args:
        cluster: where.
        job: what it scores with.
        place: which of the workers it is; Ray itself deals out machines and GPUs.
    """

    def __init__(self, cluster: Cluster, job: ScoringJob, place: int):
        self._ray, self._job, self._place = cluster.ray, job, place
        self._machine = ""
        self._actor = self._ray.remote(_Scorer).options(**cluster.options).remote()

    def __str__(self):
        return f"Ray worker {self._place + 1}{self._machine}"

    def open(self) -> None:
        """See Worker."""
        opened = self._actor.open.remote(self._job.to_dict(), computing_environment())
        self._machine = f" on {self._get(opened)}"

    def do(self, task: str) -> dict[str, str]:
        """The scores of an image, as ImageScorer.line has them; see Worker."""
        return self._get(self._actor.line.remote(task))

    def end(self) -> None:
        """See Worker."""
        self._ray.kill(self._actor)

    def _get(self, reference):
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except exceptions.RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise UserError(str(error.cause)) from error
            raise
        except exceptions.RayError as error:
            # Ray goes on for a page, and writes that to standard error, too.
            first = str(error).partition("\n")[0]
            raise WorkerLost(f"{self}: {first}") from error


class _Scorer:
    """The actor. It imports no backend before it has the environment for that."""

    def open(self, job: dict, environment: dict[str, str]) -> str:
        take_environment(environment)
        self._scorer = ImageScorer(ScoringJob(**job))
        return socket.gethostname()

    def line(self, image_id: str) -> dict[str, str]:
        return self._scorer.line(image_id)
