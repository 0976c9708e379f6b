import numpy as np
import pytest

from mrcnn_al.datasets.base import Dataset
from mrcnn_al.instances import Instances
from mrcnn_al.oracle import HiddenTruthOracle, Oracle


class Squares(Dataset):
    """Image `n` holds one square of n x n pixels."""

    class_names = ("square",)
    category_ids = (1,)
    image_ids = ("1", "2", "3")

    def size(self, image_id):
        return 4, 4

    def load_image(self, image_id):
        return np.zeros((4, 4, 3), np.uint8)

    def load_instances(self, image_id):
        side = int(image_id)
        return Instances(4, 4, [1], [[0, 0, side, side]], (np.ones((side, side), bool),))

    def instance_count(self, image_id):
        return 1


def test_the_hidden_truth_is_told_for_what_was_asked():
    labels = HiddenTruthOracle(Squares()).label(["3", "1"])
    assert list(labels) == ["3", "1"]
    assert [instances.areas().tolist() for instances in labels.values()] == [[9], [1]]


def test_an_experiment_knows_what_it_was_not_asked_for():
    assert HiddenTruthOracle(Squares()).hidden_truth("2").areas().tolist() == [4]


def test_people_do_not():
    class People(Oracle):
        def label(self, image_ids):
            return {}

    assert People().hidden_truth("2") is None


def test_an_oracle_must_label():
    with pytest.raises(TypeError, match="label"):
        Oracle()
