"""A training that is killed and goes on ends as one that was not."""

from dataclasses import replace

import numpy as np
import pytest
from pixel_training import Fitter, make_model
from small_model import (
    IMAGES,
    TRAINING,
    VALIDATION,
    assert_same,
    assign,
    load,
    values,
    without_times,
)

from mrcnn_al.errors import UserError
from mrcnn_al.ops.determinism import make_deterministic


class Killed(Exception):
    """The process ends."""


@pytest.fixture(scope="module")
def fitter():
    """All that has a state at once: AdamW, averages, accumulation, early stopping."""
    make_deterministic(0)
    training = replace(
        TRAINING,
        epochs=3,
        optimizer="adamw",
        learning_rate=0.003,
        ema_momentum=0.5,
        gradient_accumulation_steps=2,
        early_stopping_patience=2,
        images_per_batch=1,
        checkpoint_steps=3,
        prefetch=1,
    )
    return Fitter(make_model(), training)


@pytest.fixture(scope="module")
def start(fitter):
    return values(fitter.model)


def fit(fitter, start, checkpoint=None, steps=None, seed=3, image_ids=IMAGES):
    """A training from the start that ends after so many steps, as killed, or by itself."""
    assign(fitter.model, start)
    done, original = [], fitter.model.train_on_batch

    def counting(*arguments, **options):
        if len(done) == steps:
            raise Killed
        done.append(1)
        return original(*arguments, **options)

    fitter.model.train_on_batch = counting
    try:
        history = fitter.fit(
            image_ids, load, seed, validation_ids=VALIDATION, checkpoint=checkpoint
        )
    finally:
        del fitter.model.train_on_batch
    return without_times(history), values(fitter.model), len(done)


@pytest.fixture(scope="module")
def uninterrupted(fitter, start):
    return fit(fitter, start)


@pytest.mark.parametrize("kills", [(5,), (4,), (7, 3, 2), (1, 12)])
def test_to_the_bit(fitter, start, uninterrupted, tmp_path, kills):
    """Wherever it is killed: in an epoch, after one, again and again, at its end."""
    path = tmp_path / "checkpoint.npz"
    for steps in kills:
        if steps < 12:
            with pytest.raises(Killed):
                fit(fitter, start, path, steps)
    # Whatever the weights are when it goes on, those of the checkpoint count.
    other = [np.zeros_like(array) for array in start] if path.exists() else start
    history, weights, _ = fit(fitter, other, path)
    assert history == uninterrupted[0]
    assert_same(weights, uninterrupted[1])


@pytest.mark.every_backend
def test_it_goes_on_where_it_was(fitter, start, uninterrupted, tmp_path):
    path = tmp_path / "folder" / "checkpoint.npz"
    with pytest.raises(Killed):
        fit(fitter, start, path, 8)
    history, _, steps = fit(fitter, start, path)
    assert steps == uninterrupted[2] - 8
    again, weights, steps = fit(fitter, start, path)
    assert (again, steps) == (history, 0)
    assert_same(weights, uninterrupted[1])
    assert [p.name for p in path.parent.iterdir()] == ["checkpoint.npz"]


def test_another_training_is_refused(fitter, start, tmp_path):
    path = tmp_path / "checkpoint.npz"
    with pytest.raises(Killed):
        fit(fitter, start, path, 4)
    for changes in ({"seed": 4}, {"image_ids": (1, 2, 3, 5)}):
        with pytest.raises(UserError, match=r"other settings, images or seed.*delete it"):
            fit(fitter, start, path, **changes)
    assert_same(values(fitter.model), start)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_an_error(fitter, start, tmp_path, content):
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"checkpoint.npz cannot be read.*delete it"):
        fit(fitter, start, path)
    assert_same(values(fitter.model), start)
