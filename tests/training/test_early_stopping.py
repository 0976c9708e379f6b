from dataclasses import replace

import numpy as np
import pytest
from pixel_training import Fitter, make_model
from small_model import IMAGES, TRAINING, VALIDATION, assert_same, load, values

from mrcnn_al.errors import UserError
from mrcnn_al.training.early_stopping import EarlyStopping


def test_the_best_weights_are_kept():
    stopping = EarlyStopping(2)
    seen = []
    for epoch, loss in enumerate([3.0, 2.0, 2.5, 2.0, 1.0]):
        if stopping.stopped:
            break
        stopping.epoch_ended(loss, lambda epoch=epoch: [np.array(epoch)])
        seen.append((stopping.best_loss, stopping.waited, int(stopping.best_weights[0])))
    assert seen == [(3.0, 0, 0), (2.0, 0, 1), (2.0, 1, 1), (2.0, 2, 1)]


def test_without_patience_nothing_is_kept():
    stopping = EarlyStopping(None)
    for loss in (1.0, 2.0, 3.0):
        stopping.epoch_ended(loss, lambda: [np.array(0)])
    assert not stopping.stopped
    assert stopping.best_weights == []


@pytest.mark.every_backend
def test_a_training_stops_and_goes_back():
    """A rate that rises far too high makes every epoch after the first few worse."""
    training = replace(
        TRAINING,
        epochs=30,
        learning_rate=1.5,
        warmup_steps=12,
        schedule="constant",
        early_stopping_patience=2,
        weight_decay=0.01,
    )
    model = make_model()
    fitter = Fitter(model, training)
    history = fitter.fit(IMAGES, load, 3, validation_ids=VALIDATION)
    losses = [row["val_loss"] for row in history]
    assert len(history) < 30
    assert int(np.argmin(losses)) == len(losses) - 3
    assert fitter._validation_loss(VALIDATION, load, 0) == pytest.approx(min(losses), rel=1e-6)
    before = values(model)
    assert fitter._validation_loss(VALIDATION, load, 0) == fitter._validation_loss(
        VALIDATION, load, 0
    )
    assert_same(values(model), before)


def test_it_needs_images():
    fitter = Fitter(make_model(), replace(TRAINING, early_stopping_patience=1))
    with pytest.raises(UserError, match="early_stopping_patience needs images"):
        fitter.fit(IMAGES, load, 3)
