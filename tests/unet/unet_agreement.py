"""What a U-Net must give on every backend for the same weights and inputs.

`python tests/unet/unet_agreement.py` records it anew, with the backend of $KERAS_BACKEND; the
file in the repository was recorded with TensorFlow.
"""

import zlib
from pathlib import Path

import keras
import numpy as np
from keras import ops

from mrcnn_al.config import TrainingConfig, UNetConfig
from mrcnn_al.datasets.toy_image import draw_image
from mrcnn_al.training.pixel_examples import PixelExampleMaker
from mrcnn_al.unet.network import UNet
from mrcnn_al.weights.layers import weighted_layers

RECORDED = Path(__file__).parent / "unet_agreement.npz"
CONFIG = UNetConfig.preset(
    "cpu", num_classes=4, filters=6, depth=3, image_min_dim=64, image_max_dim=64
)
# Every so many pixels are kept.
STEP = 5


def make_model() -> UNet:
    """A model whose weights follow from their names, the same on every backend."""
    model = UNet(CONFIG)
    for name, layer in weighted_layers(model).items():
        for variable in layer.variables:
            rng = np.random.default_rng(zlib.crc32(f"{name}/{variable.name}".encode()))
            noise = rng.normal(size=tuple(variable.shape))
            if variable.name == "gamma":
                variable.assign(1 + 0.1 * noise)
            elif variable.name == "kernel":
                fan_in = np.prod(variable.shape[:-1])
                variable.assign(noise * np.sqrt(2 / fan_in))
            else:
                variable.assign(0.1 * noise)
    return model


def maps(model: UNet) -> dict[str, np.ndarray]:
    """Of one image without dropout and with it, and its features."""
    image, _ = draw_image(np.random.default_rng(0), 80)
    inference = model.inference
    found = {
        "plain": inference.maps(image),
        **{
            f"pass_{number}": one
            for number, one in enumerate(inference.sampled_maps(image, 2, 5, 7))
        },
    }
    return {
        "features": inference.features([image]),
        **{f"{n}_probabilities": one.probabilities[::STEP, ::STEP] for n, one in found.items()},
        **{f"{n}_contours": one.contours[::STEP, ::STEP] for n, one in found.items()},
    }


def training(model: UNet) -> dict[str, np.ndarray]:
    """The losses of three training steps, and the norms of the weights after them."""
    maker = PixelExampleMaker(CONFIG, TrainingConfig.preset("cpu"))
    rows = []
    for index in range(2):
        rng = np.random.default_rng(100 + index)
        rows.append(maker.make(*draw_image(rng, 64), rng))
    batch = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    model.weight_decay = 1e-4
    model.compile(
        optimizer=keras.optimizers.SGD(0.01, momentum=0.9, global_clipnorm=5.0),
        jit_compile=keras.backend.backend() == "jax",
    )
    steps = []
    for _ in range(3):
        model.reset_metrics()
        logs = model.train_on_batch(batch, return_dict=True)
        steps.append([float(logs[name]) for name in ("loss", *model.loss_weights)])
    norms = [np.linalg.norm(ops.convert_to_numpy(variable)) for variable in model.weights]
    return {"losses": np.array(steps), "weight_norms": np.array(norms)}


if __name__ == "__main__":
    np.savez_compressed(RECORDED, **maps(make_model()), **training(make_model()))
