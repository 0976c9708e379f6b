"""The network of Mask R-CNN (He et al. 2017), as Matterport lays it out."""

from collections.abc import Mapping

import numpy as np
from keras import ops

from mrcnn_al.config import ModelConfig
from mrcnn_al.errors import UserError
from mrcnn_al.mask_rcnn import losses
from mrcnn_al.mask_rcnn.backbones.factory import make_backbone
from mrcnn_al.mask_rcnn.detections import refine_detections
from mrcnn_al.mask_rcnn.fpn import feature_pyramid
from mrcnn_al.mask_rcnn.heads import ClassifierHead, MaskHead
from mrcnn_al.mask_rcnn.inference import Inference
from mrcnn_al.mask_rcnn.loss_model import LossModel
from mrcnn_al.mask_rcnn.precision import layers_in
from mrcnn_al.mask_rcnn.proposals import propose
from mrcnn_al.mask_rcnn.rpn import region_proposal_network
from mrcnn_al.mask_rcnn.targets import detection_targets
from mrcnn_al.ops import boxes as box_ops
from mrcnn_al.ops.anchors import pyramid_anchors
from mrcnn_al.ops.roi_align import roi_align

LOSS_NAMES = (
    "rpn_class_loss",
    "rpn_bbox_loss",
    "mrcnn_class_loss",
    "mrcnn_bbox_loss",
    "mrcnn_mask_loss",
)


class Network(LossModel):
    """The layers of a Mask R-CNN, and how images flow through them.

    Called on a batch of training inputs (see `call`) it gives the five losses, so that Keras's
    `train_on_batch` works after `compile`. Images go through `inference`.

    Args:
        config: of the network; every setting of it is plain data.

    Attributes:
        layer_precision: what the layers compute with.
    """

    def __init__(self, config: ModelConfig, **kwargs):
        super().__init__(LOSS_NAMES, config.precision, **kwargs)
        with layers_in(config.precision) as self.layer_precision:
            self._make_layers(config)
        self.built = True

        self.config = config
        self._inference = None

    def _make_layers(self, config):
        self.backbone = make_backbone(config.backbone, config.normalization)
        self.fpn = feature_pyramid(
            [output.shape[-1] for output in self.backbone.outputs],
            config.top_down_pyramid_size,
            config.pyramid_normalization,
        )
        self.rpn = region_proposal_network(
            config.top_down_pyramid_size,
            config.rpn_channels,
            len(config.rpn_anchor_ratios),
            config.rpn_anchor_stride,
            config.output_std,
        )
        self.classifier_head = ClassifierHead(
            config.num_classes,
            config.pool_size,
            config.top_down_pyramid_size,
            config.fpn_classif_fc_layers_size,
            config.head_normalization,
            config.dropout_rate,
            config.output_std,
            name="classifier_head",
        )
        self.mask_head = MaskHead(
            config.num_classes,
            config.mask_pool_size,
            config.top_down_pyramid_size,
            config.mask_head_channels,
            config.mask_head_convolutions,
            config.head_normalization,
            config.dropout_rate,
            name="mask_head",
        )

    def anchors(self, image_size: tuple[int, int]) -> np.ndarray:
        """Normalised anchors of an input size, float32 [A, 4]."""
        config = self.config
        pixels = pyramid_anchors(
            config.rpn_anchor_scales,
            config.rpn_anchor_ratios,
            image_size,
            config.backbone_strides,
            config.rpn_anchor_stride,
        )
        return box_ops.norm_boxes(pixels, *image_size).astype(np.float32)

    def pyramid(self, images, training: bool = False) -> list:
        """Molded images [B, H, W, 3] to P2 to P6."""
        if any(extent % 64 for extent in images.shape[1:3]):
            raise UserError(
                f"The network takes sides divisible by 64, not {tuple(images.shape[1:3])}; "
                "image_resize_mode pad64 or square sees to that."
            )
        return self.fpn(self.backbone(images, training=training), training=training)

    def region_proposals(self, pyramid: list):
        """P2 to P6 to logits [B, A, 2] and deltas [B, A, 4] of all anchors."""
        logits, deltas = zip(*(self.rpn(level) for level in pyramid), strict=True)
        return ops.concatenate(logits, axis=1), ops.concatenate(deltas, axis=1)

    def proposals(self, logits, deltas, image_size: tuple[int, int], inference: bool):
        """RPN outputs to normalised boxes [B, count, 4], with the settings of their use."""
        config = self.config
        count, threshold = config.post_nms_rois_training, config.rpn_nms_threshold
        if inference:
            count = config.post_nms_rois_inference
            if config.rpn_nms_threshold_inference is not None:
                threshold = config.rpn_nms_threshold_inference
        return propose(
            ops.softmax(logits)[..., 1],
            deltas,
            self.anchors(image_size),
            count,
            config.pre_nms_limit,
            threshold,
            config.rpn_bbox_std_dev,
            config.drop_zero_area_boxes,
        )

    def pool(self, pyramid: list, boxes, image_index, image_size: tuple[int, int], size: int):
        """RoIAlign of boxes [M, 4] from P2 to P5: [M, size, size, C]."""
        config = self.config
        return roi_align(
            pyramid[:4],
            boxes,
            image_index,
            image_size,
            size,
            config.half_pixel_sampling,
            config.level4_side,
        )

    def pool_batch(self, pyramid: list, rois, image_size: tuple[int, int], size: int):
        """RoIAlign of RoIs [B, N, 4]: [B * N, size, size, C]."""
        count = rois.shape[1]
        image_index = ops.repeat(ops.arange(ops.shape(rois)[0], dtype="int32"), count)
        return self.pool(pyramid, ops.reshape(rois, (-1, 4)), image_index, image_size, size)

    def detections(self, rois, logits, deltas, windows, min_confidence):
        """Classified RoIs [B, N, ...] to detections; see `refine_detections`."""
        config = self.config
        return refine_detections(
            rois,
            ops.softmax(logits),
            deltas,
            windows,
            config.detection_max_instances,
            min_confidence,
            config.detection_nms_threshold,
            config.bbox_std_dev,
            config.drop_zero_area_boxes,
        )

    def call(self, inputs: Mapping, training: bool = False) -> dict:
        """The five losses of a batch.

        Args:
            inputs: a dictionary of
                images: molded, float32 [B, H, W, 3];
                rpn_match: int32 [B, A], 1 object, -1 background, 0 not used;
                rpn_bbox: float32 [B, K, 4], targets of the positive anchors in their order;
                gt_class_ids: int32 [B, G], 0 padded, negative for crowds;
                gt_boxes: float32 [B, G, 4], pixels;
                gt_masks: [B, G, h, w], mini-masks, or full size without `use_mini_mask`;
                active_class_ids: [B, classes];
                seeds: int32 [B], of the draw of RoIs.
            training: whether normalisation learns.

        Returns:
            Scalars by the names in LOSS_NAMES.
        """
        config = self.config
        image_size = tuple(inputs["images"].shape[1:3])
        pyramid = self.pyramid(inputs["images"], training=training)
        logits, deltas = self.region_proposals(pyramid)
        rois = self.proposals(logits, deltas, image_size, inference=False)
        if config.stop_target_gradients:
            rois = ops.stop_gradient(rois)
        targets = detection_targets(
            rois,
            inputs["gt_class_ids"],
            box_ops.norm_boxes(ops.cast(inputs["gt_boxes"], "float32"), *image_size),
            inputs["gt_masks"],
            inputs["seeds"],
            rois_per_image=config.train_rois_per_image,
            positive_ratio=config.roi_positive_ratio,
            std_dev=config.bbox_std_dev,
            mask_size=config.mask_shape[0],
            mini_masks=config.use_mini_mask,
            half_pixel=config.half_pixel_sampling,
            fill_with_negatives=config.fill_with_negatives,
        )
        second_stage = self.second_stage_losses(
            pyramid, *targets, inputs["active_class_ids"], image_size, training
        )
        return {
            "rpn_class_loss": losses.rpn_class_loss(inputs["rpn_match"], logits),
            "rpn_bbox_loss": losses.rpn_bbox_loss(inputs["rpn_bbox"], inputs["rpn_match"], deltas),
            **second_stage,
        }

    def second_stage_losses(
        self,
        pyramid: list,
        rois,
        class_ids,
        deltas,
        masks,
        active_class_ids,
        image_size: tuple[int, int],
        training: bool = False,
    ) -> dict:
        """The losses of the heads over given RoIs and targets; see `detection_targets`.

        Only the RoIs that have a mask target go through the mask head; the others, never
        positive, contribute to no mask loss.
        """
        config = self.config
        count, mask_count = rois.shape[1], masks.shape[1]
        pooled = self.pool_batch(pyramid, rois, image_size, config.pool_size)
        logits, predicted = self.classifier_head(pooled, training=training)
        logits = ops.reshape(logits, (-1, count, config.num_classes))
        predicted = ops.reshape(predicted, (-1, count, config.num_classes, 4))
        pooled = self.pool_batch(pyramid, rois[:, :mask_count], image_size, config.mask_pool_size)
        mask_class_ids = class_ids[:, :mask_count]
        predicted_masks = self.mask_head(
            pooled,
            training=training,
            class_ids=ops.reshape(ops.maximum(mask_class_ids, 0), (-1,)),
        )
        predicted_masks = ops.reshape(predicted_masks, (-1, mask_count, *config.mask_shape))
        return {
            "mrcnn_class_loss": losses.mrcnn_class_loss(
                class_ids, logits, active_class_ids, config.class_loss_by_image
            ),
            "mrcnn_bbox_loss": losses.mrcnn_bbox_loss(deltas, class_ids, predicted),
            "mrcnn_mask_loss": losses.mrcnn_mask_loss(masks, mask_class_ids, predicted_masks),
        }

    @property
    def inference(self) -> Inference:
        """Detection and sampling with this model's weights, compiled on first use."""
        if self._inference is None:
            self._inference = Inference(self)
        return self._inference
