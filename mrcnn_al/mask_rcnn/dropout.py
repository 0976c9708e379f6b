"""Monte-Carlo dropout (Gal and Ghahramani 2016)."""

import keras
from keras import ops

from mrcnn_al.ops import random


@keras.saving.register_keras_serializable("mrcnn_al")
class MonteCarloDropout(keras.layers.Layer):
    """Dropout that acts only where it is given keys.

    The keys say which random numbers a row gets: the same keys drop the same features,
    whatever else is in the batch and on whatever backend. Without keys, in training and in
    plain inference, the layer passes its input on.

    Args:
        rate: chance of a feature to be dropped, rounded to a multiple of 1/256.
    """

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.salt = random.salt(self.name)

    def call(self, inputs, keys=None):
        """Drops features of `inputs` [R, ...] by `keys`, int32 [R]."""
        if keys is None or self.rate == 0:
            return inputs
        features = 1
        for extent in inputs.shape[1:]:
            features *= extent
        keep, share = random.keep_mask(random.combine(keys, self.salt), features, self.rate)
        keep = ops.reshape(keep, (-1, *inputs.shape[1:]))
        return ops.where(keep, inputs * (1 / share), ops.zeros((), inputs.dtype))

    def compute_output_shape(self, input_shape):
        """The shape of the input."""
        return input_shape

    def get_config(self):
        """The arguments to make the layer again."""
        return {**super().get_config(), "rate": self.rate}
