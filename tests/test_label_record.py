"""What is kept of an iteration's labels."""

import numpy as np
import pytest

from mrcnn_al.evaluation.coco_results import to_coco_results
from mrcnn_al.instances import Instances
from mrcnn_al.iteration_files import IterationFiles
from mrcnn_al.label_record import record_labels
from mrcnn_al.oracle import Oracle

NAMES, CATEGORIES = ("cat", "train"), (17, 7)


def squares(*classes, scored=False, crowd=None):
    masks = np.zeros((20, 30, len(classes)), bool)
    for index in range(len(classes)):
        masks[2:10, 10 * index : 10 * index + 6, index] = True
    scores = [0.9] * len(classes) if scored else None
    return Instances.from_dense(masks, classes, scores, crowd)


class People(Oracle):
    """Who says what is asked and knows nothing else."""

    def label(self, image_ids):
        truth = {"a": squares(1, 1, 2), "b": squares(2, 2, crowd=[False, True])}
        return {image_id: truth[image_id] for image_id in image_ids}


class Knowing(People):
    """Who would have known."""

    def hidden_truth(self, image_id):
        return squares(1, 2)


@pytest.fixture
def files(tmp_path):
    files = IterationFiles(2, tmp_path / "iteration_002")
    pseudo = {"c": squares(1, scored=True), "7": squares(1, 2, scored=True)}
    files.write_pseudo_labels(to_coco_results(pseudo, CATEGORIES))
    return files


def record(files, oracle, ids=("b", "a")):
    def load_image(image_id):
        return np.zeros((20, 30, 3), np.uint8)

    folder = files.folder.parent / "figures"
    record_labels(files, oracle.label(ids), oracle, NAMES, CATEGORIES, load_image, folder)
    return folder / "pseudo_labels_002.png"


def test_the_instances_of_each_class_of_a_batch(files):
    record(files, People())
    names, instances = files.read_batch_classes()
    assert names == NAMES
    assert list(instances.items()) == [("b", [0, 1]), ("a", [2, 1])]


def test_the_quality_of_pseudo_labels_and_a_sheet(files):
    assert record(files, Knowing()).is_file()
    quality = {q.image_id: q for q in files.read_pseudo_quality()}
    assert quality.keys() == {"c", "7"}
    assert (quality["c"].precision, quality["c"].recall) == (1.0, 0.5)
    assert quality["7"].panoptic_quality == 1.0


def test_again_gives_the_same(files):
    record(files, Knowing())
    paths = (files.batch_classes_path, files.pseudo_quality_path)
    before = [path.read_bytes() for path in paths]
    record(files, Knowing())
    assert [path.read_bytes() for path in paths] == before


def test_where_nobody_knows_the_truth_nothing_is_measured(files):
    assert not record(files, People()).exists()
    assert not files.pseudo_quality_path.exists()


def test_without_pseudo_labels_and_without_a_batch(files):
    files.write_pseudo_labels([])
    assert not record(files, Knowing(), ids=()).exists()
    assert not files.pseudo_quality_path.exists()
    assert files.read_batch_classes() == (NAMES, {})
