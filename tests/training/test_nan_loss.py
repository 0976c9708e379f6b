from dataclasses import replace

import numpy as np
import pixel_training
import pytest
from small_model import IMAGES, TRAINING, VALIDATION, fit, load

from mrcnn_al.errors import UserError
from mrcnn_al.training import examples, pixel_examples

STILL = replace(TRAINING, scale_jitter=(1.0, 1.0), brightness_jitter=(1.0, 1.0))


@pytest.fixture
def broken_image(monkeypatch):
    """The image 3 has pixels that are no numbers when it reaches the network."""
    original = examples.mold_image

    def mold(image, *arguments):
        molded = original(image, *arguments)
        return molded * np.float32(np.nan) if (image == 77).all() else molded

    for module in (examples, pixel_examples):
        monkeypatch.setattr(module, "mold_image", mold)
    broken = np.full((80, 80, 3), 77, np.uint8)
    return lambda number: (broken, load(3)[1]) if number == 3 else load(number)


def test_the_batch_is_named(broken_image):
    """Although NaN may go through ReLU as 0, so that only its gradient is broken."""
    training = replace(STILL, images_per_batch=1, gradient_clip_norm=5.0)
    message = r"at step \d of epoch 1.* of the images 3\. If.*--learning-rate"
    with pytest.raises(UserError, match=message):
        fit(training, load=broken_image)


def test_without_a_common_norm_it_takes_the_next_step_to_see_that(broken_image):
    training = replace(STILL, images_per_batch=1, gradient_clip_norm=0.0)
    with pytest.raises(UserError, match=r"at step \d of epoch [12].* of the images 3\."):
        pixel_training.fit(training, load=broken_image)


def test_all_images_of_the_batches_that_made_the_update_are_named(broken_image):
    training = replace(STILL, images_per_batch=1, gradient_accumulation_steps=2)
    with pytest.raises(UserError, match=r"of the images (3, \d|\d, 3|3)\. "):
        pixel_training.fit(training, load=broken_image)


def test_in_validation_too():
    fitter = pixel_training.Fitter(pixel_training.make_model(), replace(STILL, epochs=1))
    make = fitter._validation_maker.make

    def broken(image, instances, rng):
        row = make(image, instances, rng)
        return row if instances is not targetless else {**row, "images": row["images"] * np.nan}

    fitter._validation_maker.make = broken
    images = {number: load(number) for number in (*IMAGES, *VALIDATION)}
    targetless = images[VALIDATION[2]][1]
    with pytest.raises(UserError, match=r"nan in validation after epoch 1, of the images 13, 11\."):
        fitter.fit(IMAGES, images.get, 3, validation_ids=VALIDATION)
