"""The five losses of Mask R-CNN; each is 0 where nothing contributes.

Where several devices share a batch, each has its part of the loss of the whole batch, and the
parts add up to it.
"""

from keras import ops

from mrcnn_al.ops import backend


def rpn_class_loss(rpn_match, rpn_class_logits):
    """Cross entropy of the anchors that are used (Matterport's rpn_class_loss_graph).

    Args:
        rpn_match: int32 [B, A], 1 object, -1 background, 0 not used.
        rpn_class_logits: [B, A, 2].
    """
    used = ops.cast(ops.not_equal(rpn_match, 0), "float32")
    target = ops.cast(ops.equal(rpn_match, 1), "int32")
    return _mean(_cross_entropy(target, rpn_class_logits), used)


def rpn_bbox_loss(target_bbox, rpn_match, rpn_bbox):
    """Smooth L1 of the positive anchors (Matterport's rpn_bbox_loss_graph).

    Args:
        target_bbox: [B, K, 4], the first rows belong to the positive anchors in their order.
        rpn_match: int32 [B, A].
        rpn_bbox: [B, A, 4].
    """
    positive = ops.equal(rpn_match, 1)
    row = ops.cumsum(ops.cast(positive, "int32"), axis=1) - 1
    row = ops.clip(row, 0, target_bbox.shape[1] - 1)
    target = ops.take_along_axis(ops.cast(target_bbox, "float32"), row[..., None], axis=1)
    loss = ops.mean(smooth_l1(target - rpn_bbox), axis=-1)
    return _mean(loss, ops.cast(positive, "float32"))


def mrcnn_class_loss(target_class_ids, class_logits, active_class_ids, by_image: bool):
    """Cross entropy of the RoIs (Matterport's mrcnn_class_loss_graph).

    RoIs whose predicted class is not among the classes of the image's source do not count.

    Args:
        target_class_ids: int32 [B, N].
        class_logits: [B, N, classes].
        active_class_ids: [B, classes] of 0 and 1.
        by_image: look at each image's own active classes; off: at the first image's.
    """
    predicted = ops.argmax(class_logits, axis=-1)
    active = ops.cast(active_class_ids, "float32")
    if not by_image:
        active = ops.broadcast_to(active[:1], ops.shape(active))
    counts = ops.take_along_axis(active, predicted, axis=1)
    return _mean(_cross_entropy(target_class_ids, class_logits), counts)


def mrcnn_bbox_loss(target_bbox, target_class_ids, bbox):
    """Smooth L1 of the positive RoIs, for their class (Matterport's mrcnn_bbox_loss_graph).

    Args:
        target_bbox: [B, N, 4].
        target_class_ids: int32 [B, N].
        bbox: [B, N, classes, 4].
    """
    predicted = ops.take_along_axis(bbox, _positive_class(target_class_ids)[..., None, None], 2)
    loss = ops.mean(smooth_l1(ops.cast(target_bbox, "float32") - predicted[:, :, 0]), axis=-1)
    return _mean(loss, ops.cast(target_class_ids > 0, "float32"))


def mrcnn_mask_loss(target_masks, target_class_ids, masks):
    """Binary cross entropy of the positive RoIs (Matterport's mrcnn_mask_loss_graph).

    Args:
        target_masks: [B, N, H, W] of 0 and 1.
        target_class_ids: int32 [B, N].
        masks: probabilities [B, N, H, W] of the target's class.
    """
    # As Keras 2.2 does it: the probability is clipped and turned into a logit.
    predicted = ops.clip(masks, 1e-7, 1 - 1e-7)
    logits = ops.log(predicted / (1 - predicted))
    target = ops.cast(target_masks, "float32")
    loss = ops.relu(logits) - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))
    return _mean(ops.mean(loss, axis=(2, 3)), ops.cast(target_class_ids > 0, "float32"))


def squared_weights(variables, mean: bool):
    """The L2 term over weights, gamma and beta of normalisation left out.

    Args:
        variables: the trained ones.
        mean: the mean of each weight's squares, biases included, as in the reference; off:
            half their sum, over kernels only.
    """
    total = ops.zeros(())
    for variable in variables:
        if mean and variable.name not in ("gamma", "beta"):
            total = total + ops.mean(ops.square(variable))
        elif not mean and variable.name == "kernel":
            total = total + 0.5 * ops.sum(ops.square(variable))
    return total


def smooth_l1(difference):
    """0.5 x^2 below 1, |x| - 0.5 above, element by element."""
    size = ops.abs(difference)
    return ops.where(size < 1, 0.5 * size * size, size - 0.5)


def _cross_entropy(target, logits):
    chosen = ops.take_along_axis(logits, target[..., None], axis=-1)[..., 0]
    return ops.logsumexp(logits, axis=-1) - chosen


def _positive_class(class_ids):
    return ops.maximum(class_ids, 0)


def _mean(values, weights):
    total = backend.sum_over_devices(ops.sum(weights))
    return ops.sum(values * weights) / ops.where(total > 0, total, 1.0)
