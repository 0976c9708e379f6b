"""Shares of a batch for the predicted classes."""

import numpy as np

from mrcnn_al.strategies.candidates import Candidates


def class_shares(
    candidates: Candidates, among: np.ndarray, count: int
) -> list[tuple[int, np.ndarray, int]]:
    """Divides a batch among the classes that are predicted in some images.

    Each of C classes gets count / C images, rounded down; what is left over goes to the rarest
    classes, one image each. The rarest class is served first, because its images may show
    other classes too, and those have plenty.

    Args:
        candidates: of the query.
        among: positions, ascending.
        count: images in the batch.

    Returns:
        Class id, the positions of the images in which any pass predicted it, and its share;
        rarest class first, equally rare ones by class id.
    """
    positions, class_ids = candidates.predicted
    allowed = np.zeros(len(candidates), bool)
    allowed[among] = True
    positions, class_ids = positions[allowed[positions]], class_ids[allowed[positions]]
    known = np.flatnonzero(np.bincount(class_ids)).tolist()
    members = [(class_id, np.sort(positions[class_ids == class_id])) for class_id in known]
    rarest_first = sorted(members, key=lambda pair: (len(pair[1]), pair[0]))
    return [
        (class_id, images, count // len(known) + (place < count % len(known)))
        for place, (class_id, images) in enumerate(rarest_first)
    ]
