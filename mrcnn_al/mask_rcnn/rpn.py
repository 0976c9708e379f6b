"""Region proposal network (Ren et al. 2015)."""

import keras
from keras import layers, ops

from mrcnn_al.mask_rcnn.block import convolve
from mrcnn_al.mask_rcnn.normalization import output_initializer


def region_proposal_network(
    size: int,
    channels: int,
    anchors_per_cell: int,
    anchor_stride: int,
    output_std: float | None = None,
) -> keras.Model:
    """The network that every pyramid level is run through (Matterport's build_rpn_model).

    Args:
        size: channels of the pyramid.
        channels: of the shared convolution.
        anchors_per_cell: number of anchor ratios.
        anchor_stride: every so many cells have anchors.
        output_std: see `output_initializer`.

    Returns:
        A model of a map [B, H, W, size] to logits [B, A, 2] (background, foreground) and
        deltas [B, A, 4], A in the order y, x, ratio.
    """
    feature = keras.Input((None, None, size))
    shared = layers.Conv2D(
        channels, 3, padding="same", strides=anchor_stride, name="rpn_conv_shared"
    )
    shared = convolve(feature, shared, activation=ops.relu)
    # In half precision many anchors would have the same score, and boxes need more digits.
    output = {"kernel_initializer": output_initializer(output_std), "dtype": "float32"}
    logits = layers.Conv2D(2 * anchors_per_cell, 1, name="rpn_class_raw", **output)
    deltas = layers.Conv2D(4 * anchors_per_cell, 1, name="rpn_bbox_pred", **output)
    rows = [layers.Reshape((-1, size), dtype="float32") for size in (2, 4)]
    outputs = [rows[0](convolve(shared, logits)), rows[1](convolve(shared, deltas))]
    return keras.Model(feature, outputs, name="rpn_model")
