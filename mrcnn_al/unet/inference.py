"""Images to pixel maps and detections, once or many times with dropout."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from keras import ops
from PIL import Image
from scipy import ndimage

from mrcnn_al.instances import Instances
from mrcnn_al.mask_rcnn.inference import Detections, pass_key
from mrcnn_al.ops import backend
from mrcnn_al.ops.images import Geometry, fit_image
from mrcnn_al.unet.watershed import separate


@dataclass(frozen=True)
class PixelMaps:
    """What one pass says of each pixel of an image.

    Attributes:
        probabilities: float32 [H, W, classes], background included.
        contours: chance to be on an outline, float32 [H, W]; None where the network has none.
    """

    probabilities: np.ndarray
    contours: np.ndarray | None

    @property
    def class_ids(self) -> np.ndarray:
        """The likeliest class of each pixel, 0 for background, int [H, W]."""
        return self.probabilities.argmax(axis=-1)


class UNetInference:
    """Runs a UNet on images, in two compiled steps: up to the first dropout, and the rest.

    `detect`, `sample` and `features` are those of a Mask R-CNN's `Inference`.

    Args:
        model: a UNet; its weights are read at every call.
    """

    def __init__(self, model):
        self.model = model
        self.config = model.config
        self._encode = backend.compiled(self._encode_step, model)
        self._decode = backend.compiled(self._decode_step, model)
        self._decode_stochastically = backend.compiled(self._decode_stochastic_step, model)
        self._pooled = backend.compiled(self._pooled_step, model)

    def detect(
        self, images: Sequence[np.ndarray], min_confidence: float | None = None
    ) -> list[Detections]:
        """The instances in images, uint8 RGB [H, W, 3] of any sizes; see `detections`."""
        return [self.detections(self.maps(image), min_confidence) for image in images]

    def sample(
        self,
        images: Sequence[np.ndarray],
        passes: int,
        seed: int,
        keys: Sequence[int] | None = None,
        first_pass: int = 0,
        min_confidence: float | None = None,
    ) -> list[list[Detections]]:
        """The instances of images in each of `passes` stochastic passes.

        Passes are numbered from `first_pass`; a pass of the same number, seed and key has the
        same dropout masks. `min_confidence` takes the place of the configuration's.
        """
        keys = range(len(images)) if keys is None else keys
        return [
            [
                self.detections(maps, min_confidence)
                for maps in self.sampled_maps(image, passes, seed, key, first_pass)
            ]
            for image, key in zip(images, keys, strict=True)
        ]

    def features(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """The mean of the bottleneck over each image, padding left out, float32 [B, F]."""
        results = []
        for image in images:
            molded, geometry = fit_image(image, self.config)
            cover = geometry.cover(2**self.config.depth)[None]
            results.append(ops.convert_to_numpy(self._pooled(molded[None], cover))[0])
        return np.stack(results).astype(np.float32)

    def maps(self, image: np.ndarray) -> PixelMaps:
        """What the network says of each pixel of an image, uint8 RGB [H, W, 3]."""
        molded, geometry = fit_image(image, self.config)
        return _to_image(self._decode(*self._encode(molded[None])), geometry)

    def sampled_maps(
        self, image: np.ndarray, passes: int, seed: int, key: int, first_pass: int = 0
    ) -> Iterator[PixelMaps]:
        """`maps` in each of some stochastic passes, one after the other; see `sample`."""
        molded, geometry = fit_image(image, self.config)
        skips, bottom = self._encode(molded[None])
        numbers = np.arange(first_pass, first_pass + passes, dtype=np.int32)
        for one in pass_key(seed, np.array([key], np.int32), numbers):
            yield _to_image(self._decode_stochastically(skips, bottom, one[None]), geometry)

    def detections(self, maps: PixelMaps, min_confidence: float | None = None) -> Detections:
        """The objects that a watershed finds among the pixels of each class.

        The score of an object is the mean probability of its class over its pixels, and its
        class distribution the mean of theirs. Objects do not overlap.

        Args:
            maps: of one pass.
            min_confidence: the least score; in place of the configuration's.
        """
        config = self.config
        least = config.detection_min_confidence if min_confidence is None else min_confidence
        class_ids, found = maps.class_ids, []
        for class_id in np.unique(class_ids[class_ids > 0]):
            labels = self.separate(class_ids == class_id, maps.contours)
            for index, window in enumerate(ndimage.find_objects(labels), start=1):
                mask = labels[window] == index
                distribution = maps.probabilities[window][mask].mean(axis=0, dtype=np.float64)
                box = [*(part.start for part in window), *(part.stop for part in window)]
                found.append((class_id, box, mask, distribution))
        found = [entry for entry in found if entry[3][entry[0]] >= least]
        found.sort(key=lambda entry: -entry[3][entry[0]])
        instances = Instances(
            *class_ids.shape,
            [class_id for class_id, *_ in found],
            np.reshape([box for _, box, *_ in found], (-1, 4)),
            tuple(mask for _, _, mask, _ in found),
            [distribution[class_id] for class_id, *_, distribution in found],
        )
        distributions = np.array([entry[3] for entry in found], np.float32)
        return Detections(instances, distributions.reshape(-1, config.num_classes))

    def separate(self, foreground: np.ndarray, contours: np.ndarray | None) -> np.ndarray:
        """Parts pixels [H, W] into objects, by the settings of the model; see `separate`."""
        config = self.config
        return separate(foreground, contours, config.least_area, config.least_distance)

    def _encode_step(self, images):
        return self.model.encode(images)

    def _decode_step(self, skips, bottom):
        return self._outputs(skips, bottom, None)

    def _decode_stochastic_step(self, skips, bottom, keys):
        return self._outputs(skips, bottom, keys)

    def _outputs(self, skips, bottom, keys):
        logits, contours = self.model.decode(skips, bottom, keys=keys)
        outputs = [ops.softmax(logits)]
        return outputs if contours is None else [*outputs, ops.sigmoid(contours)[..., None]]

    def _pooled_step(self, images, cover):
        _, bottom = self.model.encode(images)
        cover = ops.convert_to_tensor(cover)[..., None]
        return ops.sum(ops.cast(bottom, "float32") * cover, axis=(1, 2)) / ops.sum(
            cover, axis=(1, 2)
        )


def _to_image(outputs, geometry: Geometry) -> PixelMaps:
    """The outputs of one image at its own size, padding cut off."""
    top, left, bottom, right = geometry.window
    maps = [
        _scaled(ops.convert_to_numpy(output)[0, top:bottom, left:right], *geometry.original)
        for output in outputs
    ]
    return PixelMaps(maps[0], maps[1][..., 0] if len(maps) > 1 else None)


def _scaled(values, height, width):
    """A map [h, w, C] at another size; distributions stay distributions."""
    values = values.astype(np.float32)
    if values.shape[:2] == (height, width):
        return values
    planes = [
        Image.fromarray(np.ascontiguousarray(values[..., index])).resize(
            (width, height), Image.Resampling.BILINEAR
        )
        for index in range(values.shape[-1])
    ]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)
