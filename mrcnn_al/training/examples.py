"""One annotated image to one row of a training batch."""

import dataclasses

import numpy as np

from mrcnn_al.config import ModelConfig, TrainingConfig
from mrcnn_al.instances import Instances
from mrcnn_al.ops.anchors import pyramid_anchors
from mrcnn_al.ops.images import mold_image, place_image, plan_resize
from mrcnn_al.ops.masks import minimize_mask
from mrcnn_al.training import augmentation
from mrcnn_al.training.augmentation import View
from mrcnn_al.training.augmentation_policy import augment
from mrcnn_al.training.rpn_targets import build_rpn_targets

AUGMENTATIONS = (
    *("flips", "vertical_flips", "rotations", "scale_jitter", "brightness_jitter"),
    *("contrast_jitter", "saturation_jitter", "hue_jitter", "blur_sigma"),
)


class ExampleMaker:
    """Makes rows of `MaskRCNN.call`'s inputs.

    Args:
        model: of the network.
        training: of the augmentation.
    """

    def __init__(self, model: ModelConfig, training: TrainingConfig):
        self.model = model
        self.training = training

    def make(self, image: np.ndarray, instances: Instances, rng: np.random.Generator) -> dict:
        """One row: the keys of `MaskRCNN.call`, each without the batch axis.

        Args:
            image: uint8 RGB [H, W, 3].
            instances: its ground truth.
            rng: of augmentation and draws.
        """
        config = self.model
        view = self.view(image, instances, rng)
        size = view.image.shape[:2]
        boxes = view.boxes()
        large = np.flatnonzero(((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1))
        if len(large) > config.max_gt_instances:
            large = np.sort(rng.choice(large, config.max_gt_instances, replace=False))
        chosen, boxes = view.instances.select(large), boxes[large]
        class_ids = np.where(chosen.crowd, -chosen.class_ids, chosen.class_ids)

        match, rpn_bbox = build_rpn_targets(
            self._pixel_anchors(size),
            class_ids,
            boxes,
            config.rpn_train_anchors_per_image,
            config.rpn_bbox_std_dev,
            rng,
        )
        count = config.max_gt_instances
        gt_masks = self._masks(chosen, view)
        return {
            "images": mold_image(view.image, config.mean_pixel, config.pixel_scale),
            "rpn_match": match,
            "rpn_bbox": rpn_bbox,
            "gt_class_ids": _pad(class_ids.astype(np.int32), count),
            "gt_boxes": _pad(boxes, count),
            "gt_masks": _pad(gt_masks, count),
            "active_class_ids": np.ones(config.num_classes, np.float32),
            "seeds": rng.integers(2**31, dtype=np.int32),
        }

    def view(self, image: np.ndarray, instances: Instances, rng: np.random.Generator) -> View:
        """The image as the network sees it, augmented."""
        model, training = self.model, self.training
        if model.image_resize_mode == "crop":
            scale = max(1, model.image_min_dim / min(image.shape[:2]), model.image_min_scale)
            scale *= np.exp(rng.uniform(*np.log(training.scale_jitter)))
            view = augmentation.random_crop(
                image, instances, model.image_min_dim, scale, training.foreground_crops, rng
            )
        else:
            view = self._whole(image, instances)
        return augment(view, training, rng)

    def _whole(self, image, instances):
        config = self.model
        geometry = plan_resize(
            *image.shape[:2],
            config.image_resize_mode,
            config.image_min_dim,
            config.image_max_dim,
            config.image_min_scale,
        )
        placed = place_image(image, geometry, config.reference_resampling)
        top, left, bottom, right = geometry.window
        padded = (top, left, geometry.padded[0] - bottom, geometry.padded[1] - right)
        whole = augmentation.crop_instances(instances, 0, 0, *geometry.original)
        return View(placed, whole, padded)

    def _masks(self, instances, view):
        config = self.model
        if config.use_mini_mask:
            masks = [minimize_mask(mask, config.mini_mask_shape) for mask in instances.masks]
            return np.reshape(masks, (-1, *config.mini_mask_shape)).astype(bool)
        y1, x1, y2, x2 = view.window
        masks = np.zeros((len(instances), *view.image.shape[:2]), bool)
        for index, mask in enumerate(instances.dense().transpose(2, 0, 1)):
            masks[index, y1:y2, x1:x2] = minimize_mask(mask, (y2 - y1, x2 - x1))
        return masks

    def _pixel_anchors(self, size):
        config = self.model
        anchors = pyramid_anchors(
            config.rpn_anchor_scales,
            config.rpn_anchor_ratios,
            size,
            config.backbone_strides,
            config.rpn_anchor_stride,
        )
        return anchors.astype(np.float32)


def without_augmentation(training: TrainingConfig) -> TrainingConfig:
    """The same training with images as they are; crops stay, as the network needs them."""
    plain = {
        field.name: field.default
        for field in dataclasses.fields(TrainingConfig)
        if field.name in AUGMENTATIONS
    }
    return dataclasses.replace(training, **plain)


def _pad(array, count):
    return np.pad(array, [(0, count - len(array))] + [(0, 0)] * (array.ndim - 1))
