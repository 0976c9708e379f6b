"""Who is asked for the labels of a batch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from mrcnn_al.datasets.base import Dataset
from mrcnn_al.instances import Instances


class Oracle(ABC):
    """Turns image ids into instances: hidden ground truth in an experiment, people otherwise."""

    @abstractmethod
    def label(self, image_ids: Sequence[str]) -> dict[str, Instances]:
        """The instances of each image, in the order of `image_ids`.

        Asked again for the same image, in a later training or after a restart, an oracle gives
        the same answer without effort.
        """

    def hidden_truth(self, image_id: str) -> Instances | None:
        """What an experiment knows of an image without asking; None where nobody knows.

        For measuring only: it costs no annotation, so nothing may be learnt from it.
        """
        return None


class HiddenTruthOracle(Oracle):
    """Reveals the ground truth that a dataset has had all along (thesis, chapter 5)."""

    def __init__(self, dataset: Dataset):
        """Takes the ground truth from `dataset`."""
        self._dataset = dataset

    def label(self, image_ids: Sequence[str]) -> dict[str, Instances]:
        """The ground truth of each image, in the order of `image_ids`."""
        return {image_id: self._dataset.load_instances(image_id) for image_id in image_ids}

    def hidden_truth(self, image_id: str) -> Instances:
        """The ground truth of any image."""
        return self._dataset.load_instances(image_id)
