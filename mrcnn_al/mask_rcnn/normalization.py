"""What keeps activations in range: kinds of normalisation, and small first outputs."""

import keras


@keras.saving.register_keras_serializable("mrcnn_al")
class FrozenBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation by the moving statistics, in training too.

    Gamma and beta are trained. Matterport's BatchNorm with TRAIN_BN = False.
    """

    def call(self, inputs, training=None, mask=None):
        """Normalises [..., C]."""
        del training
        return super().call(inputs, training=False, mask=mask)


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
    return keras.layers.GroupNormalization(groups=groups, epsilon=1e-5, name=name)


def output_initializer(std: float | None) -> keras.initializers.Initializer:
    """For the layers that predict classes and boxes.

    Args:
        std: of a normal distribution, as in Detectron (0.01), so that training starts from
            predictions near zero; None for the reference's Glorot uniform.
    """
    if std is None:
        return keras.initializers.GlorotUniform()
    return keras.initializers.RandomNormal(stddev=std)
