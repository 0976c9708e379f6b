"""Learners by the name under which users ask for them."""

from mrcnn_al.config import Config
from mrcnn_al.learners.base import Learner, LoadImage
from mrcnn_al.learners.mask_rcnn import MaskRCNNLearner
from mrcnn_al.learners.unet import UNetLearner

LEARNERS: dict[str, type[Learner]] = {"mask_rcnn": MaskRCNNLearner, "unet": UNetLearner}


def learner_class(config: Config) -> type[Learner]:
    """The kind of learner that a run trains."""
    return LEARNERS[config.run.learner]


def make_learner(config: Config, load_image: LoadImage) -> Learner:
    """The learner of a run, with its start weights.

    Args:
        config: of the run.
        load_image: image id to uint8 RGB [H, W, 3].

    Raises:
        UserError: see `Learner`.
    """
    return learner_class(config)(config, load_image)
