"""The whole inference as one graph, for serving without this package."""

import keras
from keras import ops

from mrcnn_al.ops import boxes as box_ops


class Serving(keras.Model):
    """Images of one fixed size to detections, everything inside: for `MaskRCNN.export`.

    Args:
        network: whose weights go along.
    """

    def __init__(self, network):
        super().__init__(name="mask_rcnn")
        self.network = network
        self.built = True

    def call(self, images):
        """Detections of a batch.

        Args:
            images: RGB, float32 0..255, [B, H, W, 3].

        Returns:
            boxes: float32 [B, N, 4], pixels (y1, x1, y2, x2), best score first;
            class_ids: int32 [B, N], 0 beyond the detections;
            scores: float32 [B, N];
            masks: float32 [B, N, h, w], probabilities inside each box.
        """
        network, config = self.network, self.network.config
        inference = network.inference
        image_size = tuple(images.shape[1:3])
        mean = ops.convert_to_tensor(config.mean_pixel, "float32")
        molded = (images - mean) * config.pixel_scale
        pyramid, rois, hidden = inference.look_step(molded)
        count = ops.shape(rois)[0]
        windows = ops.broadcast_to(ops.convert_to_tensor([0.0, 0.0, 1.0, 1.0]), (count, 4))
        boxes, class_ids, scores, _ = inference.classify_step(
            rois, hidden, windows, config.detection_min_confidence
        )
        detections = boxes.shape[1]
        image_index = ops.repeat(ops.arange(count, dtype="int32"), detections)
        masks = inference.mask_step(
            pyramid, ops.reshape(boxes, (-1, 4)), image_index, ops.reshape(class_ids, (-1,))
        )
        found = ops.cast(class_ids > 0, "float32")[..., None]
        return {
            "boxes": box_ops.denorm_boxes(boxes, *image_size) * found,
            "class_ids": class_ids,
            "scores": scores,
            "masks": ops.reshape(masks, (-1, detections, *config.mask_shape)),
        }
