"""One annotated image to one row of a U-Net's training batch."""

import numpy as np

from mrcnn_al.instances import Instances
from mrcnn_al.ops.images import mold_image
from mrcnn_al.ops.label_map import class_map, instance_map, outlines, scale_nearest
from mrcnn_al.training.examples import ExampleMaker


class PixelExampleMaker(ExampleMaker):
    """Makes rows of `UNet.call`'s inputs.

    Args:
        model: a UNetConfig.
        training: of the augmentation.
    """

    def make(self, image: np.ndarray, instances: Instances, rng: np.random.Generator) -> dict:
        """One row: the keys of `UNet.call`, each without the batch axis.

        Args:
            image: uint8 RGB [H, W, 3].
            instances: its ground truth.
            rng: of augmentation.
        """
        config = self.model
        view = self.view(image, instances, rng)
        y1, x1, y2, x2 = view.window
        positions = np.zeros(view.image.shape[:2], np.int32)
        positions[y1:y2, x1:x2] = scale_nearest(instance_map(view.instances), y2 - y1, x2 - x1)
        row = {
            "images": mold_image(view.image, config.mean_pixel, config.pixel_scale),
            "class_ids": class_map(view.instances, positions),
        }
        return {**row, "contours": outlines(positions)} if config.contours else row
