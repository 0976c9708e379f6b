import json

import numpy as np
import pytest
from coco_2017 import write_part

from mrcnn_al.datasets.class_view import ClassView
from mrcnn_al.datasets.coco import CocoDataset
from mrcnn_al.datasets.combined import CombinedDataset
from mrcnn_al.errors import UserError

SEEN = ("cat", "person")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coco")
    images = [
        *[("person", "cat", "bench", "cat"), ("bench",), (), ("person*",), ("person*", "person")],
        ("cat", "person*", "dog"),
    ]
    write_part(folder, "train2017", images)
    return CocoDataset(folder / "annotations" / "instances_train2017.json")


def test_the_images_and_classes_that_are_seen(dataset):
    view = ClassView(dataset, SEEN)
    assert view.class_names == SEEN
    assert view.category_ids == (17, 1)
    # The fourth shows a crowd only.
    assert view.image_ids == ("1", "5", "6")
    assert [view.instance_count(image_id) for image_id in view.image_ids] == [3, 2, 2]
    assert view.presence().tolist() == [[True, True], [False, True], [True, True]]
    assert view.source == dataset.source


def test_annotations_of_other_classes_are_dropped_and_crowds_stay(dataset):
    view = ClassView(dataset, SEEN)
    expected = {
        "1": ([2, 1, 1], [False] * 3),
        "5": ([2, 2], [True, False]),
        "6": ([1, 2], [False, True]),
    }
    for image_id, (class_ids, crowd) in expected.items():
        instances, found = view.load_instances(image_id), view.annotations(image_id)
        assert instances.class_ids.tolist() == found.class_ids.tolist() == class_ids
        assert instances.crowd.tolist() == found.crowd.tolist() == crowd
        assert instances.areas().tolist() == found.areas.tolist()
        # Squares have 4 x 3 pixels, crowds a column of six.
        assert found.areas.tolist() == [6 if is_crowd else 12 for is_crowd in crowd]
    assert view.size("1") == (6, 8)
    assert view.load_image("1").shape == (6, 8, 3)
    view.check_image("1")


def test_an_image_chosen_although_it_shows_nothing(dataset):
    view = ClassView(dataset, SEEN, ["6", "2", "4"])
    assert view.image_ids == ("2", "4", "6")
    assert [view.instance_count(image_id) for image_id in view.image_ids] == [0, 1, 2]
    assert view.presence().tolist() == [[False, False], [False, True], [True, True]]
    assert len(view.load_instances("2")) == 0
    images, class_ids, crowd = view.labels()
    assert (images.tolist(), class_ids.tolist(), crowd.tolist()) == (
        [1, 2, 2],
        [2, 1, 2],
        [True, False, True],
    )


def test_a_view_of_a_view(dataset):
    view = ClassView(ClassView(dataset, SEEN), ("person",))
    assert view.category_ids == (1,)
    assert view.image_ids == ("1", "5")
    assert view.load_instances("1").class_ids.tolist() == [1]


def test_a_class_that_is_not_there(dataset):
    with pytest.raises(UserError, match=r"no class 'catt' in .*Did you mean 'cat'"):
        ClassView(dataset, ("catt",))


def test_the_labels_of_a_file_are_those_of_its_images(shared, tmp_path):
    """With the order of images and annotations mixed up, and one image file missing."""
    source = shared / "data" / "coco"
    rng, parts = np.random.default_rng(0), {}
    for part in ("train2017", "val2017"):
        content = json.loads((source / "annotations" / f"instances_{part}.json").read_text())
        for section in ("images", "annotations"):
            rng.shuffle(content[section])
        content["images"][5]["file_name"] = "absent.jpg"
        path = tmp_path / f"instances_{part}.json"
        path.write_text(json.dumps(content))
        parts[part] = CocoDataset(path, source / part, skip_broken=True)
    combined = CombinedDataset(parts)
    assert len(combined.image_ids) == 281
    for dataset in (*parts.values(), combined):
        every = [dataset.annotations(image_id) for image_id in dataset.image_ids]
        images, class_ids, crowd = dataset.labels()
        assert images.tolist() == [i for i, one in enumerate(every) for _ in one.class_ids]
        assert class_ids.tolist() == np.concatenate([one.class_ids for one in every]).tolist()
        assert crowd.tolist() == np.concatenate([one.crowd for one in every]).tolist()
        assert crowd.any()
