"""What an iteration's new labels were: kept for people to look at, never for training."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from mrcnn_al.evaluation.coco_results import from_coco_results
from mrcnn_al.evaluation.pseudo_quality import measure_pseudo_labels
from mrcnn_al.instances import Instances
from mrcnn_al.iteration_files import IterationFiles
from mrcnn_al.oracle import Oracle
from mrcnn_al.report.pseudo_sheet import PseudoExample, choose_examples, draw_pseudo_sheet


def record_labels(
    files: IterationFiles,
    labels: Mapping[str, Instances],
    oracle: Oracle,
    class_names: Sequence[str],
    category_ids: Sequence[int],
    load_image: Callable[[str], np.ndarray],
    figures_folder: Path,
) -> None:
    """Writes what the oracle's labels of a batch hold, and how good the pseudo-labels are.

    The latter only where the oracle knows the truth of images that it was not asked for; a
    sheet shows the best, the median and the worst of them.

    Args:
        files: of the iteration; its pseudo-labels are there.
        labels: of the queried images, from the oracle.
        oracle: that may know the truth of the pseudo-labelled images.
        class_names: of classes 1, 2, ...
        category_ids: of the same classes in the pseudo-labels.
        load_image: gives RGB, uint8 [H, W, 3].
        figures_folder: where the sheet goes.
    """
    counts = {image_id: _counts(labels[image_id], len(class_names)) for image_id in labels}
    files.write_batch_classes(class_names, counts)
    pseudo = from_coco_results(files.read_pseudo_labels(), category_ids)
    truth = {image_id: oracle.hidden_truth(image_id) for image_id in pseudo}
    if not pseudo or any(instances is None for instances in truth.values()):
        return
    qualities = [measure_pseudo_labels(i, truth[i], pseudo[i]) for i in pseudo]
    files.write_pseudo_quality(qualities)
    examples = [
        PseudoExample(title, load_image(q.image_id), truth[q.image_id], pseudo[q.image_id], q)
        for title, q in choose_examples(qualities).items()
    ]
    draw_pseudo_sheet(figures_folder / f"pseudo_labels_{files.number:03d}.png", examples)


def _counts(instances: Instances, classes: int) -> list[int]:
    """Instances of classes 1, 2, ..., without crowds."""
    return np.bincount(instances.class_ids[~instances.crowd], minlength=classes + 1)[1:].tolist()
