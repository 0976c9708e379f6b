"""What keeps activations in range: kinds of normalisation, and small first outputs."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("mrcnn_al")
class FrozenBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation by the moving statistics, in training too.

    Gamma and beta are trained. Matterport's BatchNorm with TRAIN_BN = False.
    """

    def call(self, inputs, training=None, mask=None):
        """Normalises [..., C]."""
        del training
        return super().call(inputs, training=False, mask=mask)


@keras.saving.register_keras_serializable("mrcnn_al")
class GroupNormalization(keras.layers.GroupNormalization):
    """Keras's, of images [B, H, W, C], in less than half of the time on a CPU.

    Mean and variance come from one sum and one sum of squares for each channel, in float32, and
    are applied as one product and one sum for each channel. The result has the dtype of the input.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32", "autocast": False})

    def call(self, inputs):
        """Normalises [B, H, W, C]."""
        x = ops.cast(inputs, "float32")
        mean = self._over_groups(ops.mean(x, axis=(1, 2)))
        variance = self._over_groups(ops.mean(ops.square(x), axis=(1, 2))) - ops.square(mean)
        scale = ops.rsqrt(ops.relu(variance) + self.epsilon)
        scale = scale * ops.convert_to_tensor(self.gamma)
        shift = ops.convert_to_tensor(self.beta) - mean * scale
        return ops.cast(x * scale[:, None, None] + shift[:, None, None], inputs.dtype)

    def compute_output_spec(self, inputs):
        """That of the input."""
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)

    def _over_groups(self, values):
        """The mean of each group [B, C], at each of its channels."""
        channels = values.shape[-1]
        groups = ops.reshape(values, (-1, self.groups, channels // self.groups))
        groups = ops.broadcast_to(ops.mean(groups, axis=-1, keepdims=True), ops.shape(groups))
        return ops.reshape(groups, (-1, channels))


def normalization_layer(kind: str, name: str, channels: int) -> keras.layers.Layer:
    """The layer of a kind other than none.

    Group norm has the 32 groups of Wu and He 2018, or as many fewer as it takes for each to
    have three channels: one alone, in an output of 1 x 1, would be normalised to nothing.
    """
    if kind == "frozen_batch":
        return FrozenBatchNormalization(epsilon=1e-3, name=name)
    if kind == "batch":
        return keras.layers.BatchNormalization(epsilon=1e-3, name=name)
    sizes = range(min(32, max(1, channels // 3)), 0, -1)
    groups = next(size for size in sizes if channels % size == 0)
    return GroupNormalization(groups=groups, epsilon=1e-5, name=name)


def output_initializer(std: float | None) -> keras.initializers.Initializer:
    """For the layers that predict classes and boxes.

    Args:
        std: of a normal distribution, as in Detectron (0.01), so that training starts from
            predictions near zero; None for the reference's Glorot uniform.
    """
    if std is None:
        return keras.initializers.GlorotUniform()
    return keras.initializers.RandomNormal(stddev=std)
