"""RoIAlign over a feature pyramid."""

import math

from keras import ops

from mrcnn_al.ops import backend


def roi_align(
    features: list,
    boxes,
    image_index,
    image_size,
    size: int,
    half_pixel: bool,
    level4_side: float = 224.0,
):
    """Pools each box from the pyramid level that fits its size (Matterport's PyramidROIAlign).

    No gradient reaches the boxes.

    Args:
        features: P2 to P5, each [B, H, W, C].
        boxes: [M, 4] normalised.
        image_index: int32 [M], which image of the batch.
        image_size: height and width of the images, pixels; numbers or scalar tensors.
        size: bins along each side, one sample a bin.
        half_pixel: samples are the centres of the bins; off: the outer samples lie on the
            edges of the box, as in the reference.
        level4_side: see `pyramid_levels`.

    Returns:
        [M, size, size, C].
    """
    boxes = ops.stop_gradient(boxes)
    height, width = image_size
    levels = pyramid_levels(boxes, height * width, level4_side) - 2
    if half_pixel:
        boxes = _bin_centres(boxes, features, levels, image_size, size)
    return backend.crop_levels(features, boxes, image_index, levels, size)


def pyramid_levels(boxes, image_area, level4_side: float = 224.0):
    """Level 2 to 5 for each normalised box [M, 4], by eq. 1 of the FPN paper: int32 [M].

    Args:
        boxes: [M, 4] normalised.
        image_area: a number or a scalar tensor, in pixels.
        level4_side: of the square box, in pixels, that belongs to level 4.
    """
    height = boxes[:, 2] - boxes[:, 0]
    width = boxes[:, 3] - boxes[:, 1]
    image_side = ops.sqrt(ops.cast(image_area, "float32"))
    side = ops.sqrt(ops.maximum(height * width, 0)) / (level4_side / image_side)
    # log2 of an empty box is minus infinity, whose cast to int differs between backends.
    exponent = ops.log(ops.maximum(side, 1e-12)) / math.log(2.0)
    return ops.clip(4 + ops.cast(ops.round(exponent), "int32"), 2, 5)


def _bin_centres(boxes, features, levels, image_size, size):
    height, width = image_size
    columns = []
    for axis, extent in ((0, height), (1, width)):
        cells = ops.convert_to_tensor(
            [ops.cast(ops.shape(f)[1 + axis], "float32") for f in features]
        )
        cells = ops.take(cells, levels)
        per_pixel = cells / extent
        start = boxes[:, axis] * (extent - 1) * per_pixel
        end = (boxes[:, axis + 2] * (extent - 1) + 1) * per_pixel
        half_bin = 0.5 * (end - start) / size
        last = ops.maximum(cells - 1, 1.0)
        columns.append(ops.clip(start + half_bin - 0.5, 0.0, last) / last)
        columns.append(ops.clip(end - half_bin - 0.5, 0.0, last) / last)
    y1, y2, x1, x2 = columns
    return ops.stack([y1, x1, y2, x2], axis=-1)
