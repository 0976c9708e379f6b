"""Images to detections, once or many times with dropout."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from keras import ops

from mrcnn_al.instances import Instances
from mrcnn_al.ops import backend, random
from mrcnn_al.ops.images import Geometry, fit_image
from mrcnn_al.ops.masks import paste_mask

MASK_ROWS = 512


@dataclass(frozen=True)
class Detections:
    """What was found in one image in one pass.

    Attributes:
        instances: with scores, best first.
        probabilities: float32 [N, classes], background included.
    """

    instances: Instances
    probabilities: np.ndarray


class Inference:
    """Runs a MaskRCNN on images, in three compiled steps.

    `look` is everything before the first dropout layer and runs once an image whatever the
    number of passes. `classify` and `mask` are what is left of the two heads. Compiled, they
    compute in `precision_inference`.

    Args:
        model: a MaskRCNN; its weights are read at every call.
    """

    def __init__(self, model):
        self.model = model
        self.config = model.config
        self._precision = _precision(model.config)
        self._look = self._compiled(self.look_step)
        self._pooled = self._compiled(self._pooled_step)
        self._classify = self._compiled(self.classify_step)
        self._classify_stochastically = self._compiled(self._classify_stochastic_step)
        self._mask = self._compiled(self.mask_step, fixed_shapes=False)
        self._mask_stochastically = self._compiled(self._mask_stochastic_step, fixed_shapes=False)

    def _compiled(self, step, fixed_shapes=True):
        def in_precision(*arguments):
            with self.model.layer_precision.changed_to(self._precision):
                return step(*arguments)

        return backend.compiled(in_precision, self.model, fixed_shapes)

    def detect(
        self, images: Sequence[np.ndarray], min_confidence: float | None = None
    ) -> list[Detections]:
        """Detections of images, uint8 RGB [H, W, 3] of any sizes.

        `min_confidence` takes the place of the configuration's.
        """
        results: list[Detections | None] = [None] * len(images)
        for index, molded, geometry in self._batches(images):
            pyramid, rois, hidden = self._look(molded)
            windows = np.stack([g.norm_window() for g in geometry])
            found = self._classify(rois, hidden, windows, self._confidence(min_confidence))
            rows = np.arange(len(index), dtype=np.int32)
            found = self._with_masks(pyramid, found, rows, None, geometry)
            for position, detections in zip(index, found, strict=True):
                results[position] = detections
        return results

    def sample(
        self,
        images: Sequence[np.ndarray],
        passes: int,
        seed: int,
        keys: Sequence[int] | None = None,
        first_pass: int = 0,
        min_confidence: float | None = None,
    ) -> list[list[Detections]]:
        """Detections of images in each of `passes` stochastic passes; see MaskRCNN.sample.

        Passes are numbered from `first_pass`; a pass of the same number, seed and key has the
        same dropout masks. `min_confidence` takes the place of the configuration's.
        """
        keys = np.arange(len(images)) if keys is None else keys
        results: list[list[Detections] | None] = [None] * len(images)
        numbers = np.arange(first_pass, first_pass + passes, dtype=np.int32)
        for index, molded, geometry in self._batches(images):
            pyramid, rois, hidden = self._look(molded)
            rows = np.repeat(np.arange(len(index), dtype=np.int32), passes)
            pass_keys = pass_key(seed, np.asarray(keys)[index].astype(np.int32), numbers)
            windows = np.stack([g.norm_window() for g in geometry])
            found = self._classify_stochastically(
                rois, hidden, windows, self._confidence(min_confidence), rows, pass_keys
            )
            found = self._with_masks(pyramid, found, rows, pass_keys, geometry)
            for position, image in enumerate(index):
                results[image] = found[position * passes : (position + 1) * passes]
        return results

    def features(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """The mean of C5, the backbone's last map, over each image, float32 [B, F].

        The input's padding is left out, as far as the cells of the map allow: a cell counts
        by the share of it that the image covers.
        """
        results = []
        for _, molded, geometry in self._batches(images):
            stride = self.config.backbone_strides[3]
            weights = np.stack([g.cover(stride) for g in geometry])
            results.append(ops.convert_to_numpy(self._pooled(molded, weights)))
        return np.concatenate(results).astype(np.float32)

    def _pooled_step(self, images, weights):
        last = ops.cast(self.model.backbone(images, training=False)[-1], "float32")
        weights = ops.convert_to_tensor(weights)[..., None]
        return ops.sum(last * weights, axis=(1, 2)) / ops.sum(weights, axis=(1, 2))

    def _batches(
        self, images: Sequence[np.ndarray]
    ) -> Iterator[tuple[list[int], np.ndarray, list[Geometry]]]:
        """One image at a time: nothing is gained by more on a CPU, and memory stays flat."""
        for index, image in enumerate(images):
            molded, geometry = fit_image(image, self.config)
            yield [index], molded[None], [geometry]

    def look_step(self, images):
        """Molded images [B, H, W, 3] to all that dropout does not touch.

        Returns:
            P2 to P6; proposals [B, N, 4]; the features of each before the first dropout layer
            of the classifier, [B, N, F].
        """
        model, config = self.model, self.config
        image_size = tuple(images.shape[1:3])
        pyramid = model.pyramid(images)
        logits, deltas = model.region_proposals(pyramid)
        rois = model.proposals(logits, deltas, image_size, inference=True)
        pooled = model.pool_batch(pyramid, rois, image_size, config.pool_size)
        hidden = model.classifier_head.before_dropout(pooled)
        hidden = ops.reshape(hidden, (-1, rois.shape[1], hidden.shape[-1]))
        return pyramid, rois, hidden

    def _confidence(self, given):
        return np.float32(self.config.detection_min_confidence if given is None else given)

    def classify_step(self, rois, hidden, windows, min_confidence):
        """What `look_step` gave to detections, without dropout; see `refine_detections`."""
        return self._classified(rois, hidden, windows, min_confidence, None)

    def _classify_stochastic_step(self, rois, hidden, windows, min_confidence, rows, keys):
        rois, hidden, windows = (ops.take(x, rows, axis=0) for x in (rois, hidden, windows))
        return self._classified(rois, hidden, windows, min_confidence, keys)

    def _classified(self, rois, hidden, windows, min_confidence, keys):
        count, classes = rois.shape[1], self.config.num_classes
        hidden = ops.reshape(hidden, (-1, 1, 1, hidden.shape[-1]))
        logits, deltas = self.model.classifier_head.after_dropout(
            hidden, keys=None if keys is None else _row_keys(keys, count)
        )
        logits = ops.reshape(logits, (-1, count, classes))
        deltas = ops.reshape(deltas, (-1, count, classes, 4))
        return self.model.detections(rois, logits, deltas, windows, min_confidence)

    def mask_step(self, pyramid, boxes, image_index, class_ids):
        """Masks of boxes [M, 4], each of its class, without dropout: [M, h, w]."""
        return self._masks(pyramid, boxes, image_index, class_ids, None)

    def _mask_stochastic_step(self, pyramid, boxes, image_index, class_ids, keys):
        return self._masks(pyramid, boxes, image_index, class_ids, keys)

    def _masks(self, pyramid, boxes, image_index, class_ids, keys):
        stride = self.config.backbone_strides[0]
        height, width = ops.shape(pyramid[0])[1:3]
        image_size = (ops.cast(height * stride, "float32"), ops.cast(width * stride, "float32"))
        size = self.config.mask_pool_size
        pooled = self.model.pool(pyramid, boxes, image_index, image_size, size)
        return self.model.mask_head(pooled, keys=keys, class_ids=class_ids)

    def _with_masks(self, pyramid, found, rows, pass_keys, geometry) -> list[Detections]:
        """Adds masks to the rows of detections that are real, and goes back to the images."""
        boxes, class_ids, scores, probabilities = (ops.convert_to_numpy(f) for f in found)
        real = class_ids > 0
        masks = self._run_masks(pyramid, boxes, class_ids, real, rows, pass_keys)
        ends = np.cumsum(real.sum(axis=1))
        results = []
        for row, end in enumerate(ends):
            keep = real[row]
            results.append(
                self.to_image(
                    boxes[row, keep],
                    class_ids[row, keep],
                    scores[row, keep],
                    probabilities[row, keep],
                    masks[end - keep.sum() : end],
                    geometry[rows[row]],
                )
            )
        return results

    def _run_masks(self, pyramid, boxes, class_ids, real, rows, pass_keys):
        row, column = np.nonzero(real)
        arguments = [boxes[row, column], rows[row], class_ids[row, column]]
        function = self._mask
        if pass_keys is not None:
            function = self._mask_stochastically
            keys = ops.convert_to_numpy(_row_keys(pass_keys, real.shape[1]))
            arguments.append(keys.reshape(real.shape)[row, column])
        chunks = [np.zeros((0, *self.config.mask_shape), np.float32)]
        for start in range(0, len(row), MASK_ROWS):
            chunk = [a[start : start + MASK_ROWS] for a in arguments]
            count = len(chunk[0])
            pad = backend.padded_rows(count) - count
            chunk = [np.pad(a, [(0, pad)] + [(0, 0)] * (a.ndim - 1)) for a in chunk]
            masks = function(pyramid, *(ops.convert_to_tensor(a) for a in chunk))
            chunks.append(ops.convert_to_numpy(masks)[:count])
        return np.concatenate(chunks)

    def to_image(self, boxes, class_ids, scores, probabilities, masks, geometry) -> Detections:
        """Arrays of one image's detections, in the input, to what was found in the image."""
        height, width = geometry.original
        if self.config.half_pixel_sampling:
            boxes = geometry.to_original_half_pixel(boxes)
        else:
            boxes = np.around(geometry.to_original(boxes)).astype(np.int32)
        keep = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        pasted = [
            paste_mask(mask, box, height, width)
            for mask, box in zip(masks[keep], boxes[keep], strict=True)
        ]
        instances = Instances(
            height,
            width,
            class_ids[keep],
            np.array([box for box, _ in pasted], np.int32),
            tuple(mask for _, mask in pasted),
            scores[keep],
        )
        return Detections(instances, probabilities[keep])


def _precision(config) -> str:
    if config.precision_inference == "auto":
        return "bfloat16" if backend.multiplies_bfloat16() else config.precision
    return config.precision_inference or config.precision


def as_dictionary(instances: Instances) -> dict:
    """Matterport's result dictionary."""
    return {
        "rois": instances.boxes,
        "class_ids": instances.class_ids,
        "scores": instances.scores,
        "masks": instances.dense(),
    }


def pass_key(seed: int, image_keys: np.ndarray, passes: np.ndarray) -> np.ndarray:
    """The key of each pass over each image, int32 [images * passes], images outermost."""
    keys = random.combine(ops.convert_to_tensor(image_keys)[:, None], np.int32(seed))
    keys = random.combine(keys, ops.convert_to_tensor(passes)[None])
    return ops.convert_to_numpy(keys).reshape(-1)


def _row_keys(keys, count: int):
    rows = ops.arange(count, dtype="int32")[None]
    return ops.reshape(random.combine(ops.convert_to_tensor(keys)[:, None], rows), (-1,))
