"""Feature pyramid network (Lin et al. 2017)."""

from collections.abc import Sequence

import keras
from keras import layers

from mrcnn_al.mask_rcnn.block import convolve


def feature_pyramid(channels: Sequence[int], size: int, normalization: str = "none") -> keras.Model:
    """C2 to C5 to P2 to P6, in Matterport's layout.

    Args:
        channels: of C2, C3, C4, C5.
        size: channels of every output.
        normalization: after each convolution; none in the reference.

    Returns:
        A model of four maps [B, H, W, C] to five; P6 is every second pixel of P5.
    """
    inputs = [keras.Input((None, None, count)) for count in channels]
    top_down = convolve(
        inputs[3], layers.Conv2D(size, 1, name="fpn_c5p5"), normalization, "fpn_c5p5_bn"
    )
    merged = {5: top_down}
    for level in (4, 3, 2):
        name = f"fpn_c{level}p{level}"
        lateral = convolve(
            inputs[level - 2], layers.Conv2D(size, 1, name=name), normalization, f"{name}_bn"
        )
        top_down = layers.Add(name=f"fpn_p{level}add")(
            [layers.UpSampling2D(2, name=f"fpn_p{level + 1}upsampled")(top_down), lateral]
        )
        merged[level] = top_down
    outputs = []
    for level in (2, 3, 4, 5):
        output = layers.Conv2D(size, 3, padding="same", name=f"fpn_p{level}")
        outputs.append(convolve(merged[level], output, normalization, f"fpn_p{level}_bn"))
    outputs.append(layers.MaxPooling2D(1, strides=2, name="fpn_p6")(outputs[-1]))
    return keras.Model(inputs, outputs, name="fpn")
