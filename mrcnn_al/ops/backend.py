"""What Keras has no word for: compiled functions, and primitives that one backend has natively.

Each primitive has a version in `keras.ops` that runs everywhere; where TensorFlow has a kernel
of its own, that is used, and a test holds both to the same result.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import ops

NAME = keras.backend.backend()


def compiled(function: Callable, owner: keras.layers.Layer, fixed_shapes: bool = True) -> Callable:
    """Compiles a function of tensors that reads the variables of a layer but changes none.

    Args:
        function: takes and returns tensors, or lists and dictionaries of them.
        owner: the layer whose variables the function reads.
        fixed_shapes: TensorFlow compiles once for each combination of argument shapes. Off, it
            compiles once for any: the function may then rely on nothing but the last extent of
            arguments that have two or more.

    Returns:
        A function that gives the same values without tracking gradients.
    """
    if NAME == "tensorflow":
        import tensorflow as tf

        functions = {}

        def call(*arguments):
            arguments = tf.nest.map_structure(tf.convert_to_tensor, arguments)
            shapes = tuple(tuple(a.shape) for a in tf.nest.flatten(arguments))
            key = shapes if fixed_shapes else ()
            if key not in functions:
                # Made without AutoGraph: there is nothing for it to convert, and it takes long.
                signature = None if fixed_shapes else tf.nest.map_structure(_any_extent, arguments)
                # TensorFlow counts traces by code and warns of many; a partial has none.
                own = functools.partial(function)
                functions[key] = tf.function(own, signature, autograph=False)
            return functions[key](*arguments)

        return call
    if NAME == "jax":
        import jax

        @jax.jit
        def stateless(values, *arguments):
            mapping = zip(owner.variables, values, strict=True)
            with keras.StatelessScope(state_mapping=list(mapping)):
                return function(*arguments)

        return lambda *arguments: stateless([v.value for v in owner.variables], *arguments)
    import torch

    def without_gradients(*arguments):
        with torch.no_grad():
            return function(*arguments)

    return without_gradients


def _any_extent(tensor):
    """A tf.TensorSpec of all tensors like this one with other extents, but for the last of two."""
    import tensorflow as tf

    first = max(1, len(tensor.shape) - 1)
    return tf.TensorSpec([None] * first + tensor.shape[first:].as_list(), tensor.dtype)


@functools.cache
def multiplies_bfloat16() -> bool:
    """Whether this computes on a processor that multiplies bfloat16, and with kernels that know.

    TensorFlow and PyTorch have them, XLA on a CPU (JAX) does not.
    """
    if NAME == "jax" or has_gpu():
        return False
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    flags = next((n for n in text.splitlines() if n.startswith(("flags", "Features"))), "")
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags.split())


def has_gpu() -> bool:
    """Whether there is a GPU that TensorFlow or PyTorch would compute on."""
    if NAME == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    import torch

    return torch.cuda.is_available()


def replicas() -> int:
    """How many devices each see their own rows of the batch that this code computes on."""
    if NAME != "tensorflow":
        return 1
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def sum_over_devices(tensors):
    """The sum of a tensor, or of each of a list, over the devices that share a batch.

    To be called by all of them, outside of loops and conditions.
    """
    if replicas() == 1:
        return tensors
    import tensorflow as tf

    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tensors)


def padded_rows(count: int) -> int:
    """How many rows to pad a data-dependent number of rows to, so that it compiles seldom.

    The next power of two where shapes are compiled in, the number itself elsewhere.
    """
    return max(8, 1 << (count - 1).bit_length()) if NAME == "jax" else count


def greedy_suppression(boxes, scores, limit: int, iou_threshold: float, least_score: float):
    """Greedy non-maximum suppression of one image.

    A box is dropped when its IoU with a kept box of a higher score exceeds the threshold; a box
    without area has IoU 0 with every other, as in TensorFlow 1.12's kernel.

    Args:
        boxes: float [N, 4].
        scores: float [N].
        limit: the most boxes to keep.
        iou_threshold: strict.
        least_score: boxes of this score or less are not looked at.

    Returns:
        indices: int32 [limit], best score first, equal scores by index; 0 beyond the kept ones.
        kept: bool [limit].
    """
    if NAME == "tensorflow":
        import tensorflow as tf

        indices, count = tf.raw_ops.NonMaxSuppressionV4(
            boxes=boxes,
            scores=scores,
            max_output_size=limit,
            iou_threshold=float(iou_threshold),
            score_threshold=float(least_score),
            pad_to_max_output_size=True,
        )
        indices = tf.ensure_shape(indices, [limit])
        return indices, tf.range(limit) < count
    return greedy_suppression_everywhere(boxes, scores, limit, iou_threshold, least_score)


def greedy_suppression_everywhere(boxes, scores, limit, iou_threshold, least_score):
    """`greedy_suppression` in keras.ops alone."""
    from mrcnn_al.ops.nms import suppress

    order = ops.argsort(-scores)
    boxes, scores = ops.take(boxes, order, axis=0), ops.take(scores, order)
    keep = suppress(boxes[None], (scores > least_score)[None], iou_threshold, limit=limit)[0]
    return first_rows(keep, order, limit)


def first_rows(keep, order, limit: int):
    """The first `limit` kept entries of `order`: (indices int32 [limit], kept bool [limit])."""
    rank = ops.argsort(ops.where(keep, 0, 1))[:limit]
    kept = ops.take(keep, rank)
    indices = ops.where(kept, ops.cast(ops.take(order, rank), "int32"), 0)
    missing = limit - int(indices.shape[0])
    if missing > 0:
        indices, kept = ops.pad(indices, [[0, missing]]), ops.pad(kept, [[0, missing]])
    return indices, kept


def map_images(function: Callable, arguments: tuple, dtypes: tuple[str, ...]):
    """Applies a function to each image of a batch.

    Args:
        function: takes one row of each argument, returns a tuple of tensors of fixed shape.
        arguments: tensors [B, ...].
        dtypes: of the results.

    Returns:
        A tuple of tensors [B, ...].
    """
    if NAME == "tensorflow":
        import tensorflow as tf

        return tf.map_fn(lambda row: function(*row), arguments, fn_output_signature=dtypes)
    rows = [function(*row) for row in zip(*(ops.unstack(a) for a in arguments), strict=True)]
    return tuple(ops.stack(column) for column in zip(*rows, strict=True))


def bytes_of(integers):
    """The four bytes of each number of int32 [...], the lowest first: uint8 [..., 4]."""
    if NAME == "tensorflow":
        import tensorflow as tf

        return tf.bitcast(integers, tf.uint8)
    if NAME == "jax":
        import jax

        return jax.lax.bitcast_convert_type(integers, "uint8")
    import torch

    return integers.contiguous()[..., None].view(torch.uint8)


def crop_levels(features: list, boxes, image_index, level, size: int):
    """Bilinear crops of boxes, each from its own feature map of a pyramid.

    Args:
        features: maps [B, H_l, W_l, C].
        boxes: float [M, 4] normalised so that 0 and 1 are the centres of the outer pixels.
        image_index: int32 [M].
        level: int32 [M], index into `features`.
        size: samples along each side, both edges of a box included.

    Returns:
        [M, size, size, C]; 0 at samples outside the map.
    """
    if NAME != "tensorflow":
        return crop_levels_everywhere(features, boxes, image_index, level, size)
    # On a GPU the kernel's gradient has no deterministic version.
    if has_gpu():
        return crop_levels_everywhere(features, boxes, image_index, level, size)
    import tensorflow as tf

    rows, crops = [], []
    for index, feature in enumerate(features):
        selected = tf.where(tf.equal(level, index))[:, 0]
        rows.append(tf.cast(selected, tf.int32))
        crops.append(
            tf.image.crop_and_resize(
                tf.cast(feature, tf.float32),
                tf.gather(boxes, selected),
                tf.gather(image_index, selected),
                (size, size),
            )
        )
    crops = tf.dynamic_stitch(rows, crops)
    rows = -1 if boxes.shape[0] is None else boxes.shape[0]
    return tf.reshape(crops, (rows, size, size, features[0].shape[-1]))


def crop_levels_everywhere(features, boxes, image_index, level, size):
    """`crop_levels` in keras.ops alone: one gather of four neighbours from all maps at once."""
    channels = features[0].shape[-1]
    shapes = [ops.shape(feature) for feature in features]
    heights = ops.stack([ops.cast(shape[1], "int32") for shape in shapes])
    widths = ops.stack([ops.cast(shape[2], "int32") for shape in shapes])
    starts, total = [], 0
    for shape in shapes:
        starts.append(ops.cast(total, "int32"))
        total = total + shape[0] * shape[1] * shape[2]
    # As TensorFlow's kernel does: the gradient of a cell is a sum over all RoIs, which bfloat16
    # would round at each term.
    wide = [ops.cast(feature, "float32") for feature in features]
    flat = ops.concatenate([ops.reshape(f, (-1, channels)) for f in wide], axis=0)
    height, width = ops.take(heights, level), ops.take(widths, level)
    start = ops.take(ops.stack(starts), level) + image_index * height * width

    low_y, high_y, part_y, inside_y = _axis(boxes[:, 0], boxes[:, 2], height, size)
    low_x, high_x, part_x, inside_x = _axis(boxes[:, 1], boxes[:, 3], width, size)

    def corner(y, x):
        index = start[:, None, None] + y[:, :, None] * width[:, None, None] + x[:, None, :]
        return ops.take(flat, index, axis=0)

    part_y, part_x = part_y[:, :, None, None], part_x[:, None, :, None]
    top = corner(low_y, low_x) * (1 - part_x) + corner(low_y, high_x) * part_x
    bottom = corner(high_y, low_x) * (1 - part_x) + corner(high_y, high_x) * part_x
    inside = (inside_y[:, :, None] & inside_x[:, None, :])[..., None]
    return ops.where(inside, top * (1 - part_y) + bottom * part_y, 0.0)


def _rounded(value):
    """A value rounded to float32 before it is used, as written.

    XLA divides by what is the same for all elements by multiplying with its inverse, and joins a
    product and a sum into one operation. At the border of a map the last bit decides whether a
    sample is inside. A barrier is gone before the processor's instructions are chosen; a maximum,
    which changes nothing, stays between product and sum.
    """
    if NAME != "jax":
        return value
    import jax

    return ops.maximum(jax.lax.optimization_barrier(value), float(np.finfo(np.float32).min))


def _axis(start, end, extent, size):
    last = ops.cast(extent - 1, "float32")[:, None]
    start, end = start[:, None], end[:, None]
    if size > 1:
        steps = ops.arange(size, dtype="float32")[None]
        extent = (end - start) * last
        step = _rounded(extent / _rounded(ops.full_like(extent, size - 1)))
        position = _rounded(start * last) + _rounded(steps * step)
    else:
        position = 0.5 * (start + end) * last
    inside = (position >= 0) & (position <= last)
    position = ops.clip(position, 0.0, last)
    low = ops.floor(position)
    high = ops.minimum(low + 1, last)
    return ops.cast(low, "int32"), ops.cast(high, "int32"), position - low, inside
