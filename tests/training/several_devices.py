"""Trains on as many virtual CPU devices as the first argument says; prints history and weights.

A process of its own, because the number of devices is fixed when the framework starts. The
second argument holds fields of TrainingConfig as JSON.
"""

import json
import os
import sys

devices = int(sys.argv[1])
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={max(2, devices)}"

import keras  # noqa: E402

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )

import numpy as np  # noqa: E402
from small_model import IMAGES, TRAINING, VALIDATION, load, make_model, without_times  # noqa: E402

from mrcnn_al.config import TrainingConfig  # noqa: E402
from mrcnn_al.ops.determinism import make_deterministic  # noqa: E402
from mrcnn_al.training.devices import sharing  # noqa: E402
from mrcnn_al.training.fit import Fitter  # noqa: E402

training = TrainingConfig.from_dict(
    {**TRAINING.to_dict(), **json.loads(sys.argv[2]), "devices": devices, "images_per_batch": 4}
)
make_deterministic(0)
with sharing(devices):
    model = make_model()
history = Fitter(model, training).fit((*IMAGES, 5, 6, 7, 8), load, 3, validation_ids=VALIDATION)
norms = [float(np.linalg.norm(keras.ops.convert_to_numpy(v))) for v in model.weights]
(found,) = model.detect([load(1)[0]])
print(json.dumps({"history": without_times(history), "norms": norms, "found": len(found["rois"])}))
