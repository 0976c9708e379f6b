"""Sums that chance would order: both tests fail without `fix_order_of_sums`."""

import threading

import keras
import numpy as np
import pytest
from gradients import differentiate
from keras import ops

from mrcnn_al.ops.backend import crop_levels
from mrcnn_al.ops.determinism import fix_order_of_sums, gradients

pytestmark = pytest.mark.every_backend

ON_TENSORFLOW = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow")
# In single precision (1 + 1e8) - 1e8 is 0, and the sum is 1 where the last two meet first.
# It was TensorFlow whose threads lost terms, in 48 of 403 calls.
CALLS = 100 if keras.backend.backend() == "tensorflow" else 10
TERMS = (1.0, 1e8, -1e8)


@ON_TENSORFLOW
@pytest.mark.parametrize("held", [(), (0,), (0, 1), (1, 2), (0, 2)])
def test_a_gradient_of_three_terms_is_added_in_order(held):
    """Whichever of them have their memory in use elsewhere, so that a sum cannot be put there."""
    import tensorflow as tf

    fix_order_of_sums()
    variable = keras.Variable(np.zeros(4, np.float32))

    def used(term):
        @tf.custom_gradient
        def use(x):
            return tf.reduce_sum(x), lambda upstream: term

        return use(variable.value)

    @tf.function(autograph=False)
    def gradient(terms, one):
        terms = [term if i in held else term * one for i, term in enumerate(terms)]
        (found,) = gradients(tf.add_n([used(term) for term in terms]), [variable])
        return found

    terms = [tf.fill([4], term) for term in TERMS]
    np.testing.assert_array_equal(gradient(terms, tf.ones([4])), np.zeros(4))


def test_the_gradient_of_crops_is_the_same_beside_busy_threads():
    """Overlapping boxes, whose gradients meet at the same numbers."""
    fix_order_of_sums()
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 0.4, (96, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.3, 0.6, (96, 2))], 1).astype("float32")
    feature = rng.normal(size=(1, 32, 32, 48)).astype("float32")
    done = threading.Event()

    def work():
        numbers = rng.normal(size=100000)
        while not done.is_set():
            np.sort(numbers)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        seen = {crop_gradient(feature, boxes).tobytes() for _ in range(CALLS)}
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert len(seen) == 1


def crop_gradient(feature, boxes):
    variable = keras.Variable(feature)
    zeros = ops.zeros(len(boxes), "int32")

    def loss():
        crops = crop_levels([variable.value], ops.convert_to_tensor(boxes), zeros, zeros, 7)
        return ops.sum(ops.square(crops)), {}

    _, (found,) = differentiate(loss, [variable])
    return found
