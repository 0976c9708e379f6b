"""The Data Science Bowl 2018 as Kaggle has it."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from mrcnn_al.datasets import dsb
from mrcnn_al.datasets.dsb import DsbDataset
from mrcnn_al.datasets.subsets import open_subset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def path(shared):
    return shared / "data" / "stage1_train.zip"


@pytest.fixture(scope="module")
def first(path, dsb_cache):
    return DsbDataset(path, dsb_cache)


def test_its_nuclei_and_masks(path, first, dsb_cache, monkeypatch):
    """Opened once more, when no mask is decoded again."""
    monkeypatch.delattr(dsb, "_parse")
    dataset = DsbDataset(path, dsb_cache)
    assert len(dataset.image_ids) == 664
    assert sum(map(dataset.instance_count, dataset.image_ids)) == 28_986 - first.empty_masks
    image_id = dataset.image_ids[17]
    with zipfile.ZipFile(path) as archive:
        inside = f"stage1_train/{image_id}/masks/"
        names = sorted(name for name in archive.namelist() if name.startswith(inside))
        masks = [np.asarray(Image.open(archive.open(name))) > 0 for name in names]
    np.testing.assert_array_equal(dataset.load_instances(image_id).dense(), np.stack(masks, axis=2))
    assert dataset.load_image(image_id).shape == (*dataset.size(image_id), 3)


def test_its_split(path, first, dsb_cache):
    subset = open_subset("dsb", path, dsb_cache)
    parts = (subset.train, subset.labelled, subset.validation, subset.test)
    assert [len(part) for part in parts] == [480, 40, 51, 133]
