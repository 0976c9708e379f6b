"""The Mask R-CNN as users know it: fit, predict, sample, weights, export."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from mrcnn_al.config import ModelConfig, TrainingConfig
from mrcnn_al.datasets.base import Dataset
from mrcnn_al.errors import UserError
from mrcnn_al.evaluation.measure import measure
from mrcnn_al.instances import Instances
from mrcnn_al.mask_rcnn.inference import as_dictionary
from mrcnn_al.mask_rcnn.network import Network
from mrcnn_al.mask_rcnn.serving import Serving
from mrcnn_al.progress import progress
from mrcnn_al.training.fit import Fitter
from mrcnn_al.weights import matterport
from mrcnn_al.weights.report import WeightsReport


class MaskRCNN(Network):
    """Instance segmentation with a committee of stochastic passes.

    Args:
        config: of the network; every setting of it is plain data.
    """

    @classmethod
    def from_config(cls, config: Mapping[str, Any] | ModelConfig) -> "MaskRCNN":
        """From a ModelConfig or from the dictionary that `get_config` gives.

        Raises:
            UserError: an unknown field or a value out of range.
        """
        if isinstance(config, Mapping):
            config = ModelConfig.from_dict(dict(config))
        return cls(config)

    def get_config(self) -> dict[str, Any]:
        """All settings as plain values."""
        return self.config.to_dict()

    def fit(
        self,
        data: Dataset | Sequence[tuple[np.ndarray, Instances]],
        image_ids: Sequence[str] | None = None,
        *,
        validation_ids: Sequence[str] | None = None,
        preset: str = "cpu",
        seed: int = 0,
        **settings,
    ) -> keras.callbacks.History:
        """Trains on annotated images.

        Args:
            data: a Dataset, or pairs of an RGB image, uint8 [H, W, 3], and its instances.
            image_ids: of the Dataset, all by default; of pairs their positions as text.
            validation_ids: images whose loss is taken after each epoch.
            preset: where the settings start from.
            seed: of order, augmentation and draws.
            **settings: fields of TrainingConfig: epochs, learning_rate, images_per_batch, ...

        Returns:
            What Keras's fit returns: `history` maps loss, val_loss, ... to one value an epoch.

        Raises:
            UserError: there is nothing to train on, an unknown setting, or a loss that is not a
                number.
        """
        known, load = _annotated(data)
        training = TrainingConfig.preset(preset, **settings)
        ids = tuple(known if image_ids is None else image_ids)
        if image_ids is None and validation_ids is not None:
            held_out = set(validation_ids)
            ids = tuple(image_id for image_id in ids if image_id not in held_out)
        rows = Fitter(self, training).fit(ids, load, seed, validation_ids=validation_ids)
        history = keras.callbacks.History()
        history.set_model(self)
        history.epoch = [row["epoch"] for row in rows]
        history.history = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
        return history

    def evaluate(self, dataset: Dataset, image_ids: Sequence[str] | None = None) -> dict[str, Any]:
        """COCO mAP on annotated images; see `CocoEvaluation` for what is in the result."""
        return measure(self, dataset, dataset.image_ids if image_ids is None else image_ids)

    def detect(self, images: Sequence[np.ndarray]) -> list[dict]:
        """Finds the instances in images (Matterport's detect).

        Args:
            images: uint8 RGB [H, W, 3], of any sizes.

        Returns:
            One dictionary an image:
                rois: int32 [N, 4] pixels (y1, x1, y2, x2), y2 and x2 outside;
                class_ids: int32 [N], from 1;
                scores: float32 [N];
                masks: bool [H, W, N].
        """
        return [as_dictionary(d.instances) for d in self.inference.detect(images)]

    def predict(self, images: Sequence[np.ndarray], verbose: bool = True) -> list[dict]:
        """`detect`, one image after the other, with a progress bar."""
        if not verbose:
            return self.detect(images)
        found = []
        with progress("predicting", len(images), "images") as advance:
            for image in images:
                found.extend(self.detect([image]))
                advance()
        return found

    def sample(
        self,
        images: Sequence[np.ndarray],
        passes: int = 10,
        seed: int = 0,
        keys: Sequence[int] | None = None,
    ) -> list[list[dict]]:
        """Detects `passes` times with dropout on in the heads.

        What dropout does not touch is computed once an image.

        Args:
            images: uint8 RGB [H, W, 3].
            passes: T.
            seed: of the dropout masks.
            keys: int32 numbers that tell the images apart in the draw of dropout masks; their
                position in the list by default.

        Returns:
            For each image a list of `passes` dictionaries as from `detect`, with the class
            distribution of each instance, float32 [N, classes], as `probabilities`.
        """
        sampled = self.inference.sample(images, passes, seed, keys)
        return [
            [{**as_dictionary(d.instances), "probabilities": d.probabilities} for d in detections]
            for detections in sampled
        ]

    def load_weights(self, path: str | os.PathLike, exclude: Sequence[str] = ()) -> WeightsReport:
        """Loads an h5 file in Matterport's layout by layer names.

        Args:
            path: the file.
            exclude: names of layers to leave alone; `heads` for those that depend on the
                number of classes.

        Returns:
            What was loaded and what was left out.

        Raises:
            UserError: the file is not readable or does not fit; nothing is changed then.
        """
        return matterport.load_weights(self, path, tuple(exclude))

    def save_weights(self, path: str | os.PathLike) -> None:
        """Writes all weights in Matterport's layout, atomically."""
        matterport.save_weights(self, path)

    def export(
        self,
        path: str | os.PathLike,
        format: str = "tf_saved_model",
        image_size: tuple[int, int] | None = None,
        **options,
    ) -> None:
        """Writes the network for serving, by Keras's own export; see `Serving` for its outputs.

        Served anywhere, it computes in `precision`, whatever `precision_inference` says.

        Args:
            path: file or folder to write.
            format: one of Keras's: `tf_saved_model` needs TensorFlow, `onnx` its converter.
            image_size: height and width of the images served, divisible by 64; the
                configuration's image_max_dim both ways by default.
            **options: of keras.Model.export.

        Raises:
            UserError: this backend cannot write the format, or a package for it is missing.
        """
        size = image_size or (self.config.image_max_dim,) * 2
        serving = Serving(self)
        signature = keras.InputSpec(shape=(1, *size, 3), dtype="float32", name="images")
        try:
            serving(keras.ops.zeros((1, *size, 3)))
            options = {"verbose": False, **options}
            serving.export(os.fspath(path), format, input_signature=[signature], **options)
        except (ImportError, NotImplementedError, ValueError, RuntimeError) as error:
            raise UserError(
                f"The {keras.backend.backend()} backend cannot export to {format}: {error}"
            ) from error


def _annotated(data):
    if isinstance(data, Dataset):
        return data.image_ids, lambda image_id: (
            data.load_image(image_id),
            data.load_instances(image_id),
        )
    return tuple(map(str, range(len(data)))), lambda image_id: data[int(image_id)]
