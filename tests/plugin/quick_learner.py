"""A learner of one layer in NumPy, for tests that are about files and processes.

A softmax regression on the colours of each pixel and of what is around it, whose connected parts
are the instances. It needs no Keras, so that a process that trains it starts in a moment, and it
really learns: synthetic nuclei are found. As an entry point it is known to every process of the
tests, as a learner of somebody's own package is.
"""

import io
import time
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from scipy import ndimage

from mrcnn_al.config import Config
from mrcnn_al.errors import UserError
from mrcnn_al.files import replacing
from mrcnn_al.instances import Instances
from mrcnn_al.learners.base import Learner
from mrcnn_al.ops.label_map import class_map, instance_map
from mrcnn_al.uncertainty.pool_scorer import PoolScorer

FEATURES = 10
PIXELS = 2000
LEAST_AREA = 6
RATE = 0.2


class Found(NamedTuple):
    """The objects in an image, and their class distributions, float32 [N, C]."""

    instances: Instances
    probabilities: np.ndarray


class QuickModel:
    """The layer, as a model and as its own inference."""

    def __init__(self, config: Config):
        self.config = config.model
        self.inference = self
        rng = np.random.default_rng(config.run.seed)
        self.weights = rng.normal(0, 0.01, (FEATURES, config.model.num_classes))

    def save_weights(self, path):
        _save(path, weights=self.weights)

    def load_weights(self, path, exclude=()):
        self.weights = _load(path)["weights"]

    def detect(self, images, min_confidence=0.0):
        return [self._found(image, self.weights, min_confidence) for image in images]

    def sample(self, images, passes, seed, keys, min_confidence=0.0):
        """In each pass half of what the layer looks at is dropped."""
        found = []
        for image, key in zip(images, keys, strict=True):
            drawn = [np.random.default_rng((seed, key, number)) for number in range(passes)]
            kept = [rng.random((FEATURES, 1)) < 0.5 for rng in drawn]
            found.append(
                [self._found(image, 2 * self.weights * mask, min_confidence) for mask in kept]
            )
        return found

    def features(self, images):
        means = [pixel_features(image).mean(axis=(0, 1)) for image in images]
        return np.array(means, np.float32)

    def _found(self, image, weights, min_confidence):
        probabilities = softmax(pixel_features(image) @ weights)
        classes, found = probabilities.argmax(axis=-1), []
        for class_id in np.unique(classes[classes > 0]):
            labels, _ = ndimage.label(classes == class_id)
            for index, window in enumerate(ndimage.find_objects(labels), start=1):
                mask = labels[window] == index
                if np.count_nonzero(mask) >= LEAST_AREA:
                    found.append((class_id, window, mask, probabilities[window][mask].mean(axis=0)))
        found = [entry for entry in found if entry[3][entry[0]] >= min_confidence]
        found.sort(key=lambda entry: -entry[3][entry[0]])
        found = found[: self.config.detection_max_instances]
        boxes = [[*(p.start for p in window), *(p.stop for p in window)] for _, window, *_ in found]
        instances = Instances(
            *classes.shape,
            [class_id for class_id, *_ in found],
            np.reshape(boxes, (-1, 4)),
            tuple(mask for _, _, mask, _ in found),
            [distribution[class_id] for class_id, *_, distribution in found],
        )
        distributions = np.array([entry[3] for entry in found], np.float32)
        return Found(instances, distributions.reshape(-1, probabilities.shape[-1]))


class QuickLearner(Learner):
    """Honours epochs, steps_per_epoch and images_per_batch of the training settings."""

    scorer: ClassVar = PoolScorer

    def __init__(self, config, load_image):
        super().__init__(config, load_image)
        self._training = config.training
        self._start_weights = self.model.weights.copy()

    @staticmethod
    def make_deterministic(seed):
        """All that is drawn here is drawn with a seed."""

    @staticmethod
    def make_model(config):
        return QuickModel(config)

    def load_start_weights(self, run):
        if run.weights not in ("none", "imagenet"):
            if not Path(run.weights).is_file():
                raise UserError(f"The file of weights {run.weights} does not exist.")
            self.model.load_weights(run.weights)

    def restore_start_weights(self):
        self.model.weights = self._start_weights.copy()

    def fit(
        self,
        image_ids,
        load,
        seed,
        title,
        validation_ids=None,
        checkpoint=None,
        log_folder=None,
    ):
        settings, history = self._training, []
        if checkpoint is not None and checkpoint.exists():
            left = _load(checkpoint)
            self.model.weights = left["weights"]
            history = [
                {"epoch": i + 1, "loss": x, "seconds": 0.0} for i, x in enumerate(left["losses"])
            ]
        steps = settings.steps_per_epoch or -(-len(image_ids) // settings.images_per_batch)
        for epoch in range(len(history) + 1, settings.epochs + 1):
            begin, losses, rng = time.perf_counter(), [], np.random.default_rng((seed, epoch))
            for _ in range(steps):
                chosen = rng.choice(len(image_ids), settings.images_per_batch)
                losses.append(self._step([load(image_ids[index]) for index in chosen], rng))
            seconds = time.perf_counter() - begin
            history.append({"epoch": epoch, "loss": float(np.mean(losses)), "seconds": seconds})
            if checkpoint is not None:
                _save(checkpoint, weights=self.model.weights, losses=[r["loss"] for r in history])
        return history

    def _step(self, pairs, rng):
        features, truth = [], []
        for image, instances in pairs:
            classes = np.maximum(class_map(instances, instance_map(instances)), 0)
            # Half of them objects, where there are any.
            inside, anywhere = np.flatnonzero(classes), np.arange(classes.size)
            pixels = np.concatenate(
                [rng.choice(c, PIXELS) for c in (inside if len(inside) else anywhere, anywhere)]
            )
            features.append(pixel_features(image).reshape(-1, FEATURES)[pixels])
            truth.append(classes.ravel()[pixels])
        features, truth = np.concatenate(features), np.concatenate(truth)
        probabilities = softmax(features @ self.model.weights)
        loss = -np.log(probabilities[np.arange(len(truth)), truth] + 1e-9).mean()
        probabilities[np.arange(len(truth)), truth] -= 1
        self.model.weights = self.model.weights - RATE * features.T @ probabilities / len(truth)
        return loss


def pixel_features(image):
    """[H, W, 10]: a constant, how each colour differs from the median, its size, and that around.

    Nuclei are darker than what is around them in some images and brighter in others.
    """
    difference = image / 255.0 - np.median(image, axis=(0, 1)) / 255.0
    size = np.abs(difference)
    around = ndimage.uniform_filter(size, (3, 3, 0))
    features = np.concatenate([difference, size, around], axis=-1)
    return np.concatenate([np.ones((*image.shape[:2], 1)), features / features.std()], axis=-1)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _save(path, **arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    with replacing(path) as temporary:
        temporary.write_bytes(content.getvalue())


def _load(path):
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)
