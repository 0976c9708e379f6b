"""The same from a kept index as from the annotation file, whatever is in it."""

import gc
import json
import os
import sys
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from coco_2017 import alone, write_part
from coco_files import write_coco
from coco_mutations import mutated, write_images

from mrcnn_al.datasets import coco_index
from mrcnn_al.datasets.array_file import map_arrays, write_arrays
from mrcnn_al.datasets.coco import CocoDataset
from mrcnn_al.datasets.coco_index import open_index
from mrcnn_al.datasets.own_data import open_own_data, open_own_dataset
from mrcnn_al.datasets.subsets import open_dataset, open_subset
from mrcnn_al.errors import UserError


@pytest.fixture(autouse=True)
def everything_is_kept(monkeypatch):
    monkeypatch.setattr(coco_index, "SMALLEST_KEPT", 0)


@pytest.fixture
def path(tmp_path) -> Path:
    write_coco(tmp_path / "coco.json", tmp_path / "images", 10)
    return tmp_path / "coco.json"


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def parsed(monkeypatch) -> list[Path]:
    """The files that were parsed, as opposed to opened from an index."""
    files, parse = [], coco_index._parse
    monkeypatch.setattr(
        coco_index, "_parse", lambda path, kept: files.append(path) or parse(path, kept)
    )
    return files


def outcome(open_it) -> list:
    """All that can be seen of a dataset, or the message of the error."""
    try:
        dataset = open_it()
    except UserError as error:
        return [str(error)]
    seen = [dataset.image_ids, dataset.class_names, dataset.category_ids, dataset.skipped]
    seen += [values.tolist() for values in dataset.labels()]
    for image_id in dataset.image_ids:
        instances, annotations = dataset.load_instances(image_id), dataset.annotations(image_id)
        seen += [dataset.size(image_id), dataset.instance_count(image_id)]
        seen += [values.tolist() for values in annotations]
        seen += [values.tolist() for values in (instances.class_ids, instances.crowd)]
        seen += [instances.boxes.tolist(), [mask.tobytes() for mask in instances.masks]]
    return seen


@pytest.mark.parametrize("skip_broken", [False, True])
def test_any_file_is_the_same_the_second_time(tmp_path, cache, parsed, skip_broken):
    write_images(tmp_path)
    path = tmp_path / "annotations" / "instances.json"
    path.parent.mkdir()
    kept = messages = 0
    for number in range(200):
        path.write_bytes(mutated(number))
        expected = outcome(lambda: open_own_dataset(tmp_path, skip_broken))
        del parsed[:]
        first, later = (
            outcome(lambda: open_own_dataset(tmp_path, skip_broken, cache)) for _ in range(2)
        )
        assert first == later == expected, number
        if len(parsed) == 1:
            kept += 1
            # One that is kept may still be refused for what is wrong with some of it.
            messages += len(expected) == 1 or bool(expected[3])
    assert kept > 40
    assert messages > 10


def test_the_real_sample(shared, cache, parsed):
    source = shared / "data" / "coco"
    path = source / "annotations" / "instances_val2017.json"
    expected = outcome(lambda: CocoDataset(path, source / "val2017"))
    for _ in range(2):
        assert outcome(lambda: CocoDataset(path, source / "val2017", False, cache)) == expected
    assert len(parsed) == 2


def test_what_killed_writers_left_is_cleared_away(path, cache):
    """But not what another process may be writing, nor what is of another file."""
    open_index(path, cache)
    (kept,) = cache.iterdir()
    names = [f".{kept.stem}.{number:08x}{kept.suffix}" for number in range(2)]
    names.append(f".coco-0.{2:08x}{kept.suffix}")
    old, new, other = (cache / name for name in names)
    for leftover in (old, new, other):
        leftover.write_bytes(b"half a file")
    for leftover in (old, other):
        os.utime(leftover, (0, 0))
    open_index(path, cache)
    assert set(cache.iterdir()) == {kept, new, other}


def test_a_changed_file_is_parsed_again(path, cache, parsed):
    """Even if it has the same size and says that it was changed at the same time."""
    before = path.stat()
    assert open_index(path, cache).categories[2] == "b"
    path.write_text(path.read_text().replace('"name": "b"', '"name": "c"'))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert open_index(path, cache).categories[2] == "c"
    assert len(parsed) == 2
    # One index for a file, not one for each of its contents.
    assert len(list(cache.iterdir())) == 1


def test_a_file_that_was_only_touched_is_not(path, cache, parsed):
    open_index(path, cache)
    os.utime(path)
    open_index(path, cache)
    assert len(parsed) == 1


def test_files_with_the_same_name_have_their_own(tmp_path, cache, parsed):
    for folder, count in (("a", 3), ("b", 4)):
        write_coco(tmp_path / folder / "coco.json", tmp_path / folder / "images", count)
    for _ in range(2):
        assert len(open_index(tmp_path / "a" / "coco.json", cache).images) == 3
        assert len(open_index(tmp_path / "b" / "coco.json", cache).images) == 4
    assert len(parsed) == 2


def test_a_damaged_index_is_made_again(path, cache, parsed):
    expected = outcome(lambda: CocoDataset(path, cache_folder=cache))
    (kept,) = cache.iterdir()
    intact = kept.read_bytes()
    flipped = bytearray(intact)
    flipped[len(intact) // 2] ^= 1
    for content in (b"", intact[:100], intact[:-1], bytes(flipped), b"\0" * len(intact)):
        kept.write_bytes(content)
        del parsed[:]
        assert outcome(lambda: CocoDataset(path, cache_folder=cache)) == expected
        assert len(parsed) == 1
        assert kept.read_bytes() == intact


@pytest.mark.parametrize(
    "change",
    [
        lambda content, arrays: content.update(version=coco_index.VERSION + 1),
        lambda content, arrays: content.update(fingerprint="0" * 64),
        lambda content, arrays: content.pop("images"),
        lambda content, arrays: content["ids"].pop(),
        lambda content, arrays: content.update(problems=[3]),
        lambda content, arrays: content["categories"].pop(),
        lambda content, arrays: content.update(categories=None),
        lambda content, arrays: arrays.pop("runs"),
        lambda content, arrays: arrays.update(first=arrays["first"] + 1),
        lambda content, arrays: arrays.update(coordinates=arrays["coordinates"].astype("f4")),
    ],
)
def test_an_index_of_something_else_is_made_again(path, cache, parsed, change):
    expected = outcome(lambda: CocoDataset(path, cache_folder=cache))
    (kept,) = cache.iterdir()
    intact = kept.read_bytes()
    content, arrays = map_arrays(kept)
    change(content, arrays)
    write_arrays(kept, content, arrays)
    assert outcome(lambda: CocoDataset(path, cache_folder=cache)) == expected
    assert len(parsed) == 2
    assert kept.read_bytes() == intact


def test_images_come_and_go_behind_an_index(path, cache, parsed):
    content = json.loads(path.read_text())
    content["annotations"][3]["category_id"] = 5
    content["annotations"][4]["category_id"] = 5
    path.write_text(json.dumps(content))
    picture = path.parent / "images" / "3.png"
    pixels = picture.read_bytes()
    first = CocoDataset(path, skip_broken=True, cache_folder=cache)
    assert [text[:12] for text in first.skipped] == ["annotation 4", "annotation 5"]
    picture.unlink()
    later = CocoDataset(path, skip_broken=True, cache_folder=cache)
    # Of an image that is not there, nothing else is said.
    assert len(later.skipped) == 2
    assert "3.png does not exist" in later.skipped[0]
    assert later.skipped[1].startswith("annotation 5")
    assert set(first.image_ids) - set(later.image_ids) == {"4"}
    assert len(later.labels().images) == 8
    picture.write_bytes(pixels)
    again = CocoDataset(path, skip_broken=True, cache_folder=cache)
    assert again.skipped == first.skipped
    assert len(parsed) == 1


def test_nothing_is_kept_of_a_small_file_or_a_broken_one(path, cache, monkeypatch):
    monkeypatch.setattr(coco_index, "SMALLEST_KEPT", path.stat().st_size + 1)
    open_index(path, cache)
    assert not cache.exists()
    monkeypatch.setattr(coco_index, "SMALLEST_KEPT", 0)
    path.write_text(path.read_text()[:-1])
    for _ in range(2):
        with pytest.raises(UserError, match="is not valid JSON"):
            open_index(path, cache)
    assert not cache.exists()
    with pytest.raises(UserError, match=r"none\.json does not exist"):
        open_index(path.parent / "none.json", cache)


def test_a_cache_that_cannot_be_written(path):
    with pytest.raises(UserError, match=r"cannot be written.*another cache folder"):
        open_index(path, path / "cache")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_index_is_mapped_as_long_as_it_is_used(path, cache):
    for _ in range(2):
        dataset = CocoDataset(path, cache_folder=cache)
        (kept,) = cache.iterdir()
        assert str(kept) in Path("/proc/self/maps").read_text()
        assert dataset.load_instances("1").areas().tolist() == [12]
        del dataset
        gc.collect()
        assert str(kept) not in Path("/proc/self/maps").read_text()


def _open(arguments: tuple[Path, Path]) -> list:
    coco_index.SMALLEST_KEPT = 0
    return [outcome(lambda: CocoDataset(arguments[0], cache_folder=arguments[1])) for _ in "123"]


def test_processes_that_open_it_at_once(path, cache):
    with ProcessPoolExecutor(3) as pool:
        found = list(pool.map(_open, [(path, cache)] * 6))
    expected = outcome(lambda: CocoDataset(path))
    assert all(one == expected for several in found for one in several)
    assert len(list(cache.iterdir())) == 1


def test_the_cache_folder_is_handed_through(tmp_path, cache, parsed, monkeypatch):
    write_coco(tmp_path / "own" / "coco.json", tmp_path / "own" / "images", 10)
    ways = (
        lambda: open_own_data(tmp_path / "own", cache=cache).dataset,
        lambda: open_own_dataset(tmp_path / "own", cache=cache),
        lambda: open_subset(None, tmp_path / "own", cache).dataset,
        lambda: open_dataset("own", tmp_path / "own", cache),
    )
    for open_it in ways:
        assert len(open_it().image_ids) == 10
    assert len(parsed) == 1
    write_part(tmp_path / "coco", "train2017", alone(bicycle=8, motorcycle=8))
    for _ in range(2):
        open_subset("coco5", tmp_path / "coco", cache, scale=4)
    assert len(parsed) == 2
    assert len(list(cache.iterdir())) == 2
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "usual"))
    open_subset(None, tmp_path / "own")
    assert len(list((tmp_path / "usual" / "mrcnn_al").iterdir())) == 1


def test_a_file_is_not_held_in_memory(tmp_path):
    """Parsing takes a fraction of what the objects of the file would; here it is 4 MB of text."""
    rng = np.random.default_rng(0)
    polygon = rng.uniform(0, 100, 2000).round(2).tolist()
    annotations = [
        {"id": n, "image_id": 1, "category_id": 1, "segmentation": [polygon]} for n in range(300)
    ]
    content = {
        "images": [{"id": 1, "file_name": "a.png", "height": 6, "width": 8}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "a"}],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(content))
    size, coordinates = path.stat().st_size, 8 * 2000 * 300
    assert size > 3_900_000
    tracemalloc.start()
    index = open_index(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert index.table.count(0) == 300
    # Once as they are read, once in order; the places of a block of them; a window on the text.
    assert peak < 5 * coordinates + 3_000_000
