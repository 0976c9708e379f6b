"""The pictures that an iteration leaves behind."""

from pathlib import Path

import numpy as np

from mrcnn_al.datasets.image_file import write_image
from mrcnn_al.instances import Instances
from mrcnn_al.report.overlay import draw_instances, scale_instances
from mrcnn_al.report.passes_sheet import draw_passes_sheet

_LEAST_PIXELS = 512


class IterationFigures:
    """Draws into the figures folder of a run.

    Args:
        folder: of the figures.
        number: of the iteration.
    """

    def __init__(self, folder: Path, number: int):
        self._folder, self._prefix = folder, f"iteration_{number:03d}"

    def draw_test_image(
        self,
        image_id: str,
        image: np.ndarray,
        found: Instances,
        min_confidence: float,
        class_names: tuple[str, ...],
    ) -> None:
        """The detections of at least `min_confidence` in an image, uint8 RGB [H, W, 3]."""
        shown = found.select(found.scores >= min_confidence)
        # Small images grow, so that there is room for the labels.
        scale = max(1, _LEAST_PIXELS // max(image.shape[:2]))
        height, width = (scale * side for side in image.shape[:2])
        large = image.repeat(scale, axis=0).repeat(scale, axis=1)
        shown = scale_instances(shown, scale, height, width)
        picture = draw_instances(large, shown, class_names)
        write_image(self._folder / f"{self._prefix}_test_{image_id}.png", picture)

    def draw_passes(
        self, name: str, image_id: str, image: np.ndarray, passes: list[Instances]
    ) -> None:
        """The stochastic passes over an image, which is `name`, such as `most_uncertain`."""
        path = self._folder / f"{self._prefix}_{name}_{image_id}.png"
        draw_passes_sheet(path, image, passes)
