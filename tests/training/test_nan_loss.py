from dataclasses import replace

import numpy as np
import pytest
from small_model import IMAGES, TRAINING, VALIDATION, fit, load, make_model

from mrcnn_al.errors import UserError
from mrcnn_al.training import examples
from mrcnn_al.training.fit import Fitter

STILL = replace(TRAINING, scale_jitter=(1.0, 1.0), brightness_jitter=(1.0, 1.0))


@pytest.fixture
def broken_image(monkeypatch):
    """The image 3 has pixels that are no numbers when it reaches the network."""
    original = examples.mold_image

    def mold(image, *arguments):
        molded = original(image, *arguments)
        return molded * np.float32(np.nan) if (image == 77).all() else molded

    monkeypatch.setattr(examples, "mold_image", mold)
    broken = np.full((80, 80, 3), 77, np.uint8)
    return lambda number: (broken, load(3)[1]) if number == 3 else load(number)


@pytest.mark.parametrize("clip", [5.0, 0.0])
def test_the_batch_is_named(broken_image, clip):
    """Although NaN may go through ReLU as 0, so that only its gradient is broken.

    Without a common norm, it takes the next step to see that.
    """
    training = replace(STILL, images_per_batch=1, gradient_clip_norm=clip)
    message = r"at step \d of epoch 1.* of the images 3\. If.*--learning-rate"
    if not clip:
        message = r"at step \d of epoch [12].* of the images 3\."
    with pytest.raises(UserError, match=message):
        fit(training, load=broken_image)


def test_all_images_of_the_batches_that_made_the_update_are_named(broken_image):
    training = replace(STILL, images_per_batch=1, gradient_accumulation_steps=2)
    with pytest.raises(UserError, match=r"of the images (3, \d|\d, 3|3)\. "):
        fit(training, load=broken_image)


def test_in_validation_too():
    fitter = Fitter(make_model(), replace(STILL, epochs=1))
    make = fitter._validation_maker.make

    def broken(image, instances, rng):
        row = make(image, instances, rng)
        return row if instances is not targetless else {**row, "rpn_bbox": row["rpn_bbox"] * np.nan}

    fitter._validation_maker.make = broken
    images = {number: load(number) for number in (*IMAGES, *VALIDATION)}
    targetless = images[VALIDATION[2]][1]
    with pytest.raises(UserError, match=r"nan in validation after epoch 1, of the images 13, 11\."):
        fitter.fit(IMAGES, images.get, 3, validation_ids=VALIDATION)
