"""Feature pyramid network (Lin et al. 2017)."""

from collections.abc import Sequence

import keras
from keras import layers


def feature_pyramid(channels: Sequence[int], size: int) -> keras.Model:
    """C2 to C5 to P2 to P6, in Matterport's layout.

    Args:
        channels: of C2, C3, C4, C5.
        size: channels of every output.

    Returns:
        A model of four maps [B, H, W, C] to five; P6 is every second pixel of P5.
    """
    inputs = [keras.Input((None, None, count)) for count in channels]
    top_down = layers.Conv2D(size, 1, name="fpn_c5p5")(inputs[3])
    merged = {5: top_down}
    for level in (4, 3, 2):
        lateral = layers.Conv2D(size, 1, name=f"fpn_c{level}p{level}")(inputs[level - 2])
        top_down = layers.Add(name=f"fpn_p{level}add")(
            [layers.UpSampling2D(2, name=f"fpn_p{level + 1}upsampled")(top_down), lateral]
        )
        merged[level] = top_down
    outputs = [
        layers.Conv2D(size, 3, padding="same", name=f"fpn_p{level}")(merged[level])
        for level in (2, 3, 4, 5)
    ]
    outputs.append(layers.MaxPooling2D(1, strides=2, name="fpn_p6")(outputs[-1]))
    return keras.Model(inputs, outputs, name="fpn")
