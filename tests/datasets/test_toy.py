import hashlib

import numpy as np
import pytest

from mrcnn_al.datasets.coco import CocoDataset
from mrcnn_al.datasets.toy import MARKER, generate_toy
from mrcnn_al.datasets.toy_image import CLASS_NAMES, MIN_PIXELS, draw_image
from mrcnn_al.errors import UserError
from mrcnn_al.files import read_json, write_json


def content(folder) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> CocoDataset:
    return generate_toy(tmp_path_factory.mktemp("toy") / "set", seed=3, count=40)


def test_one_seed_gives_the_same_bytes(tmp_path):
    for name in "ab":
        generate_toy(tmp_path / name, seed=5, count=4)
    generate_toy(tmp_path / "c", seed=6, count=4)
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert content(tmp_path / "a") != content(tmp_path / "c")


def test_the_pixels_are_those_of_every_machine():
    digest = hashlib.sha256()
    for index in range(6):
        pixels, instances = draw_image(np.random.Generator(np.random.PCG64([0, index])), 128)
        digest.update(pixels.tobytes())
        digest.update(instances.dense().tobytes())
        digest.update(instances.class_ids.astype("<i4").tobytes())
    assert digest.hexdigest() == "89382f64c3e16ebfc34316d6d7422c6a11595a12347c4478ae990e5cf0cb6c15"


def test_an_image_does_not_depend_on_how_many_there_are(tmp_path):
    few = generate_toy(tmp_path / "few", seed=1, count=2)
    more = generate_toy(tmp_path / "more", seed=1, count=3)
    np.testing.assert_array_equal(few.load_image("2"), more.load_image("2"))
    assert (more.load_image("1") != more.load_image("2")).any()


def test_it_is_an_ordinary_coco_folder(toy):
    assert toy.class_names == CLASS_NAMES
    assert toy.image_ids == tuple(str(index) for index in range(1, 41))
    assert toy.load_image("7").shape == (128, 128, 3)


def test_masks_do_not_overlap_and_are_large_enough(toy):
    counts, touching = [], 0
    for image_id in toy.image_ids:
        instances = toy.load_instances(image_id)
        dense = instances.dense()
        assert dense.sum(axis=2).max() == 1
        assert instances.areas().min() >= MIN_PIXELS
        counts.append(len(instances))
        labels = (dense * np.arange(1, len(instances) + 1)).sum(axis=2)
        left, right = labels[:, :-1], labels[:, 1:]
        touching += np.count_nonzero((left != right) & (left > 0) & (right > 0)) > 0
    assert min(counts) >= 2
    assert max(counts) <= 25
    assert max(counts) - min(counts) > 10
    assert touching > 10


def test_masks_lie_on_the_nuclei(toy):
    for image_id in toy.image_ids:
        pixels = toy.load_image(image_id).astype(float)
        inside = toy.load_instances(image_id).dense().any(axis=2)
        stained = np.median(pixels[:, :, 0]) > 140
        contrast = pixels[inside].mean() - pixels[~inside].mean()
        assert (-contrast if stained else contrast) > 5


def test_both_looks_and_all_classes_occur(toy):
    stained = [np.median(toy.load_image(image_id)[:, :, 0]) > 140 for image_id in toy.image_ids]
    assert 8 < sum(stained) < 32
    classes = np.concatenate([toy.load_instances(i).class_ids for i in toy.image_ids])
    assert np.bincount(classes, minlength=4)[1:].min() > 0.15 * len(classes)


def test_classes_differ_in_size_but_not_perfectly(toy):
    areas = {1: [], 2: [], 3: []}
    for image_id in toy.image_ids:
        instances = toy.load_instances(image_id)
        for class_id, area in zip(instances.class_ids, instances.areas(), strict=True):
            areas[class_id].append(area)
    assert np.median(areas[1]) < np.median(areas[2]) < np.median(areas[3])
    assert np.percentile(areas[1], 95) > np.percentile(areas[3], 5)


def test_the_same_set_is_not_made_again(tmp_path):
    generate_toy(tmp_path, seed=0, count=2)
    image = tmp_path / "images" / "00001.png"
    stamp = image.stat().st_mtime_ns
    generate_toy(tmp_path, seed=0, count=2)
    assert image.stat().st_mtime_ns == stamp


def test_a_half_written_set_is_finished(tmp_path):
    generate_toy(tmp_path, seed=0, count=2)
    expected = content(tmp_path)
    write_json(tmp_path / MARKER, read_json(tmp_path / MARKER) | {"complete": False})
    (tmp_path / "images" / "00002.png").unlink()
    (tmp_path / "annotations" / "instances.json").unlink()
    generate_toy(tmp_path, seed=0, count=2)
    assert content(tmp_path) == expected


def test_other_content_is_never_overwritten(tmp_path):
    generate_toy(tmp_path / "toy", seed=0, count=1)
    with pytest.raises(UserError, match="holds another toy set"):
        generate_toy(tmp_path / "toy", seed=1, count=1)
    with pytest.raises(UserError, match="is not empty and holds no toy set"):
        generate_toy(tmp_path, seed=0, count=1)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        generate_toy(tmp_path / "file", seed=0, count=1)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"count": 0}, {"size": 63}])
def test_arguments_out_of_range(tmp_path, wrong):
    (name,) = wrong
    with pytest.raises(UserError, match=f"The {name} of a toy set must be"):
        generate_toy(tmp_path / "toy", **{"seed": 0, "count": 1, "size": 64} | wrong)
    assert not (tmp_path / "toy").exists()
