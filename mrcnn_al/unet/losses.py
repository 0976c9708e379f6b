"""The losses of a U-Net over the pixels of a batch.

Where several devices share a batch, each has its part of the loss of the whole batch, and the
parts add up to it. Pixels whose class is IGNORED do not count.
"""

from keras import ops

from mrcnn_al.ops import backend

# Pixels added to both sides of a Dice coefficient, so that a class of one pixel has a gradient.
_SMOOTH = 1.0


def cross_entropy_loss(class_ids, logits):
    """The mean cross-entropy of the pixels.

    Args:
        class_ids: int32 [B, H, W], 0 for background.
        logits: [B, H, W, classes].
    """
    target = ops.maximum(class_ids, 0)[..., None]
    chosen = ops.take_along_axis(logits, target, axis=-1)[..., 0]
    return _mean(ops.logsumexp(logits, axis=-1) - chosen, _counted(class_ids))


def dice_loss(class_ids, logits):
    """One minus the mean Dice coefficient of the classes that each image has, background left out.

    The coefficient of an image and a class is 2 sum(p t) / (sum(p) + sum(t)) over the pixels, p
    the probability and t the truth (Milletari et al. 2016, without squares). The loss is 0 where
    no image has a class.

    Args:
        class_ids: int32 [B, H, W], 0 for background.
        logits: [B, H, W, classes].
    """
    classes = logits.shape[-1]
    if classes < 2:
        return ops.zeros(())
    counted = _counted(class_ids)[..., None]
    predicted = ops.softmax(logits)[..., 1:] * counted
    true = ops.one_hot(ops.maximum(class_ids, 0), classes, dtype="float32")[..., 1:] * counted
    shared = ops.sum(predicted * true, axis=(1, 2))
    both = ops.sum(predicted, axis=(1, 2)) + ops.sum(true, axis=(1, 2))
    dice = (2 * shared + _SMOOTH) / (both + _SMOOTH)
    return _mean(1 - dice, ops.cast(ops.any(true > 0, axis=(1, 2)), "float32"))


def contour_loss(class_ids, contours, logits):
    """The mean binary cross-entropy of the outlines.

    Args:
        class_ids: int32 [B, H, W], for what does not count.
        contours: [B, H, W] of 0 and 1.
        logits: [B, H, W].
    """
    target = ops.cast(contours, "float32")
    loss = ops.relu(logits) - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))
    return _mean(loss, _counted(class_ids))


def _counted(class_ids):
    return ops.cast(class_ids >= 0, "float32")


def _mean(values, weights):
    total = backend.sum_over_devices(ops.sum(weights))
    return ops.sum(values * weights) / ops.where(total > 0, total, 1.0)
