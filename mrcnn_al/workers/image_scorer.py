"""Scoring in a process that is not that of the run."""

from dataclasses import asdict, dataclass
from pathlib import Path

from mrcnn_al.config import Config
from mrcnn_al.datasets.subsets import open_dataset
from mrcnn_al.errors import UserError
from mrcnn_al.score_table import ScoreRecord, record_to_line


@dataclass(frozen=True)
class ScoringJob:
    """All that a worker has to know; only text and numbers, so that it can go anywhere.

    Attributes:
        config: of the run, YAML.
        weights: file that the run has trained.
        cache: folder of the image sets.
        seed: of the stochastic passes.
    """

    config: str
    weights: str
    cache: str
    seed: int

    def to_dict(self) -> dict[str, str | int]:
        """Plain values by name."""
        return asdict(self)


class ImageScorer:
    """Gives images the scores that the process of the run gives them.

    Args:
        job: of which run and iteration.

    Raises:
        UserError: the images or the weights are not usable here.
    """

    def __init__(self, job: ScoringJob):
        from mrcnn_al.learners.factory import learner_class

        config = Config.from_yaml(job.config)
        run = config.run
        dataset = open_dataset(run.subset, run.data, job.cache, run.skip_broken, run.scale)
        if tuple(dataset.class_names) != run.class_names:
            raise UserError(
                f"The images of a worker have the classes {dataset.class_names}, not those of "
                f"the run, {run.class_names}."
            )
        if not Path(job.weights).is_file():
            raise UserError(
                f"A worker does not find {job.weights}: the folder of the run must be the same "
                "on every machine."
            )
        kind = learner_class(config)
        kind.make_deterministic(run.seed)
        self._model = kind.make_model(config)
        self._model.load_weights(job.weights)
        self._scorer = kind.scorer(self._model.inference, dataset.load_image, config.sampling)
        self._seed = job.seed

    def line(self, image_id: str) -> dict[str, str]:
        """The scores of an image as a line of scores.csv, which holds every bit of them."""
        return record_to_line(ScoreRecord(self._scorer.row(image_id, self._seed)))
