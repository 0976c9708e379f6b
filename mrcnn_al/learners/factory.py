"""Learners by the name under which users ask for them."""

from mrcnn_al.config import Config
from mrcnn_al.config.learner_settings import LEARNER_SECTIONS, learner_classes
from mrcnn_al.datasets.base import LoadImage
from mrcnn_al.errors import UserError
from mrcnn_al.learners.base import Learner


def learner_class(config: Config) -> type[Learner]:
    """The kind of learner that a run trains; imports it, and with it what it computes with.

    Raises:
        UserError: it is of another package, which cannot be imported.
    """
    point = learner_classes()[config.run.learner]
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        if point.name in LEARNER_SECTIONS:
            raise
        raise UserError(
            f"The learner {point.name!r}, which is {point.value}, cannot be imported: {error}"
        ) from error


def make_learner(config: Config, load_image: LoadImage) -> Learner:
    """The learner of a run, with its start weights; all that it draws hangs on the run's seed.

    Args:
        config: of the run.
        load_image: image id to uint8 RGB [H, W, 3].

    Raises:
        UserError: see `Learner`.
    """
    kind = learner_class(config)
    kind.make_deterministic(config.run.seed)
    return kind(config, load_image)
