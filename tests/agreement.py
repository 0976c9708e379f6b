"""What every backend must give for the same weights and inputs.

`python tests/agreement.py` records it anew, with the backend of $KERAS_BACKEND; the file in the
repository was recorded with TensorFlow.
"""

import zlib
from pathlib import Path

import keras
import numpy as np
from keras import ops

from mrcnn_al.config import Config
from mrcnn_al.datasets.toy_image import draw_image
from mrcnn_al.mask_rcnn.network import LOSS_NAMES
from mrcnn_al.model import MaskRCNN
from mrcnn_al.training.examples import ExampleMaker
from mrcnn_al.weights.layers import weighted_layers

RECORDED = Path(__file__).parent / "agreement.npz"
SIZE = 128
# Room for all proposals: which ones are drawn from too many hangs on their order, and that on the
# last digits of nearly equal scores.
CONFIG = Config.preset(
    "cpu",
    model={
        "num_classes": 4,
        "top_down_pyramid_size": 32,
        "rpn_channels": 32,
        "fpn_classif_fc_layers_size": 64,
        "mask_head_channels": 16,
        "image_min_dim": SIZE,
        "image_max_dim": SIZE,
        "post_nms_rois_training": 200,
        "post_nms_rois_inference": 100,
        "train_rois_per_image": 300,
        "max_gt_instances": 30,
        "detection_max_instances": 30,
        "detection_min_confidence": 0.7,
        "dropout_rate": 0.25,
        "precision_inference": None,
    },
)

# Scores far apart, so that no order and no class hangs on the last digits; boxes near anchors.
GAINS = {
    "mrcnn_class_logits": 2.0,
    "mrcnn_bbox_fc": 0.3,
    "rpn_class_raw": 3.0,
    "rpn_bbox_pred": 0.1,
    "mrcnn_mask": 3.0,
}


def make_model() -> MaskRCNN:
    """A model whose weights follow from their names, the same on every backend."""
    model = MaskRCNN(CONFIG.model)
    for name, layer in weighted_layers(model).items():
        for variable in layer.variables:
            rng = np.random.default_rng(zlib.crc32(f"{name}/{variable.name}".encode()))
            variable.assign(_weight(rng, name, variable))
    return model


def _weight(rng, layer, variable):
    noise = rng.normal(size=tuple(variable.shape)).astype(np.float32)
    if variable.name == "moving_variance":
        return 1 + 0.2 * np.abs(noise)
    if variable.name == "gamma":
        return 1 + 0.1 * noise
    if variable.name != "kernel":
        return 0.1 * noise
    fan_in = np.prod(variable.shape[:2]) if "depthwise" in layer else np.prod(variable.shape[:-1])
    return GAINS.get(layer, 1.4) * noise / np.sqrt(fan_in)


def detections(model: MaskRCNN) -> dict[str, np.ndarray]:
    """Deterministic and stochastic detections of two images, before anything is rounded."""
    numpy = ops.convert_to_numpy
    results = {}
    for index in range(2):
        image, _ = draw_image(np.random.default_rng(index), SIZE)
        inference = model.inference
        ((_, molded, geometry),) = inference._batches([image])
        _, rois, hidden = inference._look(molded)
        window = geometry[0].norm_window()[None]
        boxes, class_ids, scores, _ = inference._classify(rois, hidden, window, np.float32(0.7))
        results[f"boxes_{index}"] = numpy(boxes)[0] * SIZE
        results[f"class_ids_{index}"] = numpy(class_ids)[0]
        results[f"scores_{index}"] = numpy(scores)[0]
        found = inference.detect([image])[0].instances
        results[f"mask_areas_{index}"] = found.areas()
        for number, one in enumerate(inference.sample([image], passes=3, seed=5)[0]):
            results[f"sampled_boxes_{index}_{number}"] = one.instances.boxes
            results[f"sampled_class_ids_{index}_{number}"] = one.instances.class_ids
            results[f"sampled_scores_{index}_{number}"] = one.instances.scores
    return results


def losses(model: MaskRCNN) -> dict[str, np.ndarray]:
    """The losses of three training steps, and the weights after them, layer by layer."""
    maker = ExampleMaker(CONFIG.model, CONFIG.training)
    rows = []
    for index in range(2):
        rng = np.random.default_rng(100 + index)
        rows.append(maker.make(*draw_image(rng, SIZE), rng))
    batch = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    model.weight_decay = 1e-4
    model.compile(
        optimizer=keras.optimizers.SGD(0.001, momentum=0.9, global_clipnorm=5.0),
        jit_compile=keras.backend.backend() == "jax",
    )
    results = {}
    for step in range(3):
        model.reset_metrics()
        logs = model.train_on_batch(batch, return_dict=True)
        values = [logs["loss"], *(logs[name] for name in LOSS_NAMES)]
        results[f"losses_{step}"] = np.array([float(value) for value in values])
    layers = [layer for _, layer in sorted(weighted_layers(model).items())]
    weights = [ops.convert_to_numpy(layer.variables[0]) for layer in layers]
    results["weight_norms"] = np.array([np.linalg.norm(weight) for weight in weights])
    return results


if __name__ == "__main__":
    model = make_model()
    np.savez_compressed(RECORDED, **detections(model), **losses(model))
