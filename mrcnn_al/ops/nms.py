"""Non-maximum suppression as whole-matrix operations, a block of boxes at a time."""

from keras import ops

from mrcnn_al.ops import boxes as box_ops

# So many boxes at least are settled at once; larger sets are divided into so many blocks.
LEAST_BLOCK = 128
BLOCKS = 8


def suppress(boxes, candidates, iou_threshold: float, class_ids=None, limit: int | None = None):
    """Greedy NMS of boxes that are already sorted by falling score.

    A box is kept when no kept box before it overlaps it by more than the threshold. Blocks of
    boxes are settled one after the other, until `limit` are kept or no candidate is left: the
    candidates, which are few where the scores mean something, should come first.

    Args:
        boxes: [B, N, 4].
        candidates: bool [B, N]; the others neither stay nor suppress.
        iou_threshold: strict.
        class_ids: [B, N]; where given, boxes of different classes do not suppress each other.
        limit: the most boxes to keep of each image; None for all.

    Returns:
        bool [B, N].
    """
    count = boxes.shape[1]
    limit = count if limit is None else limit
    size = min(count, max(LEAST_BLOCK, -(-count // BLOCKS)))
    number = -(-count // size)
    missing = number * size - count
    padded = [ops.pad(boxes, [[0, 0], [0, missing], [0, 0]])]
    padded += [ops.pad(x, [[0, 0], [0, missing]]) for x in (candidates, class_ids) if x is not None]
    in_blocks = [_split(x, number, size) for x in padded]
    index = ops.arange(number, dtype="int32")[:, None, None]

    def unsettled(block, kept):
        full = ops.sum(ops.cast(kept, "int32"), axis=(0, 2)) >= limit
        return ops.any(in_blocks[1] & (index >= block) & ~full[None, :, None])

    def settle(block, kept):
        now = [ops.take(x, block, axis=0) for x in in_blocks]
        before = _join(kept)
        hits = _overlapping(now, padded, iou_threshold) & before[:, None, :]
        settled = _settle_block(now, now[1] & ~ops.any(hits, axis=-1), iou_threshold)
        return block + 1, ops.where(index == block, settled[None], kept)

    start = ops.convert_to_tensor(0, dtype="int32")
    _, kept = ops.while_loop(unsettled, settle, (start, ops.zeros_like(in_blocks[1])))
    kept = _join(kept)[:, :count]
    return kept & (ops.cumsum(ops.cast(kept, "int32"), axis=1) <= limit)


def _settle_block(rows, candidates, iou_threshold):
    """The boxes of one block that are kept, as a fixed point.

    Starting from all candidates, the rule is applied to all boxes at once until nothing changes;
    each round settles at least the first unsettled box, so the end is the greedy result, usually
    after a handful of rounds.
    """
    index = ops.arange(candidates.shape[1])
    earlier = index[None, :] < index[:, None]
    overlapping = _overlapping(rows, rows, iou_threshold) & earlier[None]

    def again(keep):
        return candidates & ~ops.any(overlapping & keep[:, None, :], axis=-1)

    final, _ = ops.while_loop(
        lambda keep, before: ops.any(ops.logical_xor(keep, before)),
        lambda keep, before: (again(keep), keep),
        (again(candidates), candidates),
    )
    return final


def _overlapping(rows, others, iou_threshold):
    """Which of [B, N] boxes overlap which of [B, M] too much: bool [B, N, M]."""
    overlapping = box_ops.overlaps(rows[0], others[0]) > iou_threshold
    if len(rows) > 2:
        overlapping = overlapping & (rows[2][:, :, None] == others[2][:, None, :])
    return overlapping


def _split(rows, number, size):
    """[B, number * size, ...] to [number, B, size, ...]."""
    rows = ops.reshape(rows, (-1, number, size, *rows.shape[2:]))
    return ops.moveaxis(rows, 1, 0)


def _join(blocks):
    """[number, B, size] to [B, number * size]."""
    number, _, size = blocks.shape
    return ops.reshape(ops.moveaxis(blocks, 0, 1), (-1, number * size))
