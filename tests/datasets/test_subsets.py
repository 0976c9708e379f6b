import pytest
from PIL import Image

from mrcnn_al.datasets.splits import Counts, split_ids
from mrcnn_al.datasets.subsets import default_cache, open_subset
from mrcnn_al.errors import UserError


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def dsb_folder(tmp_path_factory):
    """664 images of 4 x 4 pixels with one mask each; two of them broken."""
    folder = tmp_path_factory.mktemp("dsb") / "stage1_train"
    for index in range(664):
        for kind, pixels in (
            ("images", Image.new("RGB", (4, 4))),
            ("masks", Image.new("L", (4, 4), 255)),
        ):
            path = folder / f"{index:04d}" / kind / f"{index:04d}.png"
            path.parent.mkdir(parents=True)
            if index < 2 and kind == "images":
                path.write_bytes(b"broken")
            else:
                pixels.save(path)
    return folder


def sizes(subset):
    return [len(getattr(subset, name)) for name in ("train", "labelled", "validation", "test")]


def test_toy(cache):
    subset = open_subset("toy", cache=cache)
    assert subset.name == "toy"
    assert sizes(subset) == [64, 12, 10, 24]
    assert set(subset.train + subset.validation + subset.test) == set(subset.dataset.image_ids)
    again, other = (open_subset("toy", cache=cache, seed=seed) for seed in (0, 1))
    assert again.labelled == subset.labelled
    splits = split_ids(subset.dataset.image_ids, Counts(64, 12, 10, 24), seed=0)
    assert (subset.train, subset.labelled, subset.validation, subset.test) == splits
    assert other.labelled != subset.labelled
    assert other.test != subset.test
    assert len(list(cache.iterdir())) == 1


def test_toy_at_a_place_of_choice(tmp_path):
    open_subset("toy", data=tmp_path / "here", cache=tmp_path / "cache")
    assert (tmp_path / "here" / "annotations" / "instances.json").is_file()
    assert not (tmp_path / "cache").exists()


def test_labelled(cache):
    usual, more = open_subset("toy", cache=cache), open_subset("toy", cache=cache, labelled=30)
    assert more.labelled[:12] == usual.labelled
    assert more.train == usual.train


@pytest.mark.parametrize("labelled", [0, -3, 65])
def test_labelled_out_of_range_before_anything_is_made(tmp_path, labelled):
    with pytest.raises(UserError, match="give 1 to 64"):
        open_subset("toy", cache=tmp_path / "cache", labelled=labelled)
    assert not (tmp_path / "cache").exists()


def test_unknown_subset():
    with pytest.raises(UserError, match=r"subset 'nuclei'\. Known are: coco2, .*, coco5, dsb, toy"):
        open_subset("nuclei")


def test_dsb_without_data(cache):
    with pytest.raises(UserError, match=r"pass .*stage1_train\.zip"):
        open_subset("dsb", cache=cache)


def test_dsb_with_broken_images(dsb_folder, cache):
    with pytest.raises(UserError, match=r"2 broken .*0000/images/0000\.png"):
        open_subset("dsb", dsb_folder, cache)
    subset = open_subset("dsb", dsb_folder, cache, skip_broken=True)
    assert sizes(subset) == [478, 40, 51, 133]


def test_dsb_with_too_few_images(dsb_folder, cache, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for index in range(2, 50):
        (few / f"{index:04d}").symlink_to(dsb_folder / f"{index:04d}")
    with pytest.raises(UserError, match=r"dsb need 664 images, .*there are 48\. .*--scale 34,"):
        open_subset("dsb", few, cache)


@pytest.mark.parametrize(("scale", "expected"), [(0.1, [48, 4, 5, 13]), (12, [12, 1, 1, 3])])
def test_scaled_dsb(dsb_folder, cache, scale, expected):
    subset = open_subset("dsb", dsb_folder, cache, skip_broken=True, scale=scale)
    assert sizes(subset) == expected


def test_a_scaled_toy_set_has_as_few_images(cache):
    subset = open_subset("toy", cache=cache, scale=0.25)
    assert sizes(subset) == [16, 3, 3, 6]
    assert len(subset.dataset.image_ids) == 25
    assert sizes(open_subset("toy", cache=cache, scale=0.25, labelled=9)) == [16, 9, 3, 6]
    with pytest.raises(UserError, match="give 1 to 16"):
        open_subset("toy", cache=cache, scale=0.25, labelled=17)


def test_default_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "mrcnn_al"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_cache() == tmp_path / "home" / ".cache" / "mrcnn_al"
