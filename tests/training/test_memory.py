"""Memory does not grow with the epochs.

Looked at in a process of its own: in one that has run other tests, what they left is moved about.
"""

import multiprocessing
from dataclasses import replace

import numpy as np
import pytest
from amount import amount
from pixel_training import Fitter, make_model
from process_memory import memory, needs_status
from small_model import TRAINING, load

from mrcnn_al.config import ModelConfig, TrainingConfig
from mrcnn_al.instances import Instances
from mrcnn_al.training.batches import training_batches
from mrcnn_al.training.examples import ExampleMaker

EPOCHS = amount("epochs after which memory is looked at", 16, 50)
# A row of an image that was kept each epoch would be more.
MOST_GROWTH = EPOCHS * 20 * 2**20 // 50

pytestmark = [pytest.mark.slow, needs_status]


def growth(measure):
    """Bytes by which memory grew after the fifth epoch."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seen = pool.apply(measure)
    assert len(seen) == EPOCHS
    return max(seen[5:]) - seen[4]


def test_of_a_whole_training():
    """Six images, three steps an epoch, a small model, all augmentations, validation."""
    assert growth(train) < MOST_GROWTH


def test_of_the_pipeline_alone():
    """Images of 600 x 600, epochs of 8: a row that was kept each epoch would be 1 MB of each."""
    assert growth(make_batches) < MOST_GROWTH


def train():
    training = replace(
        TRAINING,
        epochs=EPOCHS,
        vertical_flips=True,
        contrast_jitter=(0.8, 1.2),
        hue_jitter=0.1,
        blur_sigma=(0.0, 2.0),
        ema_momentum=0.9,
        early_stopping_patience=EPOCHS,
    )
    fitter, seen = Fitter(make_model(), training), []
    end_epoch = fitter._end_epoch
    fitter._end_epoch = lambda *arguments: (end_epoch(*arguments), seen.append(memory()))
    fitter.fit((1, 2, 3, 4, 5, 6), load, 3, validation_ids=(7, 8))
    return seen


def make_batches():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (600, 600, 3)).astype(np.uint8)
    instances = load(1)[1]
    instances = Instances(
        600, 600, instances.class_ids, instances.boxes, instances.masks, crowd=instances.crowd
    )
    model = ModelConfig.preset("cpu", num_classes=4)
    maker = ExampleMaker(model, TrainingConfig.preset("cpu", blur_sigma=(0.0, 2.0)))
    stream = training_batches(
        range(8), lambda number: (image.copy(), instances), maker, 4, 2 * EPOCHS, 0
    )
    seen = []
    for step, _ in enumerate(stream):
        if step % 2:
            seen.append(memory())
    return seen
