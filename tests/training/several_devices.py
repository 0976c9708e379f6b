"""Trains on one and on two virtual CPU devices; prints histories and weights.

A process of its own, because the number of devices is fixed when the framework starts. The
argument is a JSON list of trainings, each of fields of TrainingConfig; for each a line is printed.
"""

import json
import os
import sys

os.environ["XLA_FLAGS"] = " ".join(
    [os.environ.get("XLA_FLAGS", ""), "--xla_force_host_platform_device_count=2"]
)

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )

import numpy as np
from small_model import IMAGES, TRAINING, VALIDATION, load, make_model, without_times

from mrcnn_al.config import TrainingConfig
from mrcnn_al.errors import UserError
from mrcnn_al.ops.determinism import make_deterministic
from mrcnn_al.training.devices import sharing
from mrcnn_al.training.fit import Fitter


def trained(fields):
    """What a training gives, or why there is none."""
    settings = {**TRAINING.to_dict(), **fields, "images_per_batch": 4}
    training = TrainingConfig.from_dict(settings)
    make_deterministic(0)
    with sharing(training.devices):
        model = make_model()
    try:
        fitter = Fitter(model, training)
    except UserError as error:
        return {"refused": str(error)}
    history = fitter.fit((*IMAGES, 5, 6, 7, 8), load, 3, validation_ids=VALIDATION)
    norms = [float(np.linalg.norm(keras.ops.convert_to_numpy(v))) for v in model.weights]
    (found,) = model.detect([load(1)[0]])
    return {"history": without_times(history), "norms": norms, "found": len(found["rois"])}


for fields in json.loads(sys.argv[1]):
    print(json.dumps(trained(fields)), flush=True)
