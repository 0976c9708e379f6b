import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mrcnn_al.datasets.dsb import DsbDataset
from mrcnn_al.errors import UserError

IDS = ("aa", "bb", "cc")


def write_set(root: Path) -> dict[str, np.ndarray]:
    """Three images with overlapping masks, one of them without a pixel; dense masks by id."""
    rng = np.random.default_rng(4)
    truth = {}
    for index, image_id in enumerate(IDS):
        height, width, count = 20 + index, 30, 4
        (root / image_id / "images").mkdir(parents=True)
        (root / image_id / "masks").mkdir()
        pixels = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
        Image.fromarray(pixels).save(root / image_id / "images" / f"{image_id}.png")
        masks = np.zeros((height, width, count), bool)
        for number in range(count):
            y, x = rng.integers(0, 10, 2)
            masks[y : y + 9, x : x + 13, number] = rng.random((9, 13)) < 0.8
        if index == 0:
            masks[:, :, 2] = False
        for number in range(count):
            mask = Image.fromarray(masks[:, :, number].astype(np.uint8) * 255)
            mask.save(root / image_id / "masks" / f"{number}.png")
        truth[image_id] = masks[:, :, masks.any(axis=(0, 1))]
    return truth


def pack(folder: Path, path: Path, prefix: str = "stage1_train") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, Path(prefix) / file.relative_to(folder))
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "data" / "stage1_train"
    write_set(folder)
    return folder


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.mark.parametrize("form", ["folder", "parent", "zip", "zip without stage1_train"])
def test_every_layout_gives_the_same(tmp_path, cache, form):
    folder = tmp_path / "data" / "stage1_train"
    truth = write_set(folder)
    prefix = "" if form.endswith("without stage1_train") else "stage1_train"
    path = {"folder": folder, "parent": folder.parent}.get(form)
    path = path or pack(folder, tmp_path / "stage1_train.zip", prefix)
    for _ in range(2):
        dataset = DsbDataset(path, cache)
        assert dataset.image_ids == IDS
        assert dataset.skipped == ()
        assert dataset.empty_masks == 1
        for image_id in IDS:
            instances = dataset.load_instances(image_id)
            np.testing.assert_array_equal(instances.dense(), truth[image_id])
            assert instances.class_ids.tolist() == [1] * truth[image_id].shape[2]
            assert dataset.instance_count(image_id) == len(instances)
            assert dataset.size(image_id) == truth[image_id].shape[:2]
            source = Image.open(folder / image_id / "images" / f"{image_id}.png")
            with source:
                np.testing.assert_array_equal(
                    dataset.load_image(image_id), np.asarray(source)[:, :, :3]
                )


def test_many_threads_read_the_zip_at_once(tmp_path, folder, cache):
    dataset = DsbDataset(pack(folder, tmp_path / "a.zip"), cache)
    expected = {image_id: dataset.load_image(image_id).tobytes() for image_id in IDS}
    wanted = IDS * 60
    with ThreadPoolExecutor(8) as pool:
        for image_id, pixels in zip(wanted, pool.map(dataset.load_image, wanted), strict=True):
            assert pixels.tobytes() == expected[image_id]


def test_other_kinds_of_masks(folder, cache):
    masks = folder / "aa" / "masks"
    inside = np.zeros((20, 30), bool)
    inside[3:5, 4:9] = True
    colours = np.zeros((20, 30, 4), np.uint8)
    colours[..., 3] = 255
    colours[inside, 2] = 9
    Image.fromarray(inside).save(masks / "0.png")
    Image.fromarray(inside.astype(np.uint16)).save(masks / "1.png")
    Image.fromarray(colours).save(masks / "2.png")
    Image.fromarray(inside.astype(np.uint8)).save(masks / "3.png")
    instances = DsbDataset(folder, cache).load_instances("aa")
    assert instances.boxes.tolist() == [[3, 4, 5, 9]] * 4
    assert instances.areas().tolist() == [10] * 4


def only_file(cache: Path) -> Path:
    (path,) = cache.iterdir()
    return path


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"no zip", "cut", "bits", "pickle"])
def test_a_damaged_cache_is_made_again(folder, cache, damage):
    before = DsbDataset(folder, cache).load_instances("bb").dense()
    path = only_file(cache)
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "bits":
        middle = len(content) // 3
        path.write_bytes(content[:middle] + bytes(200) + content[middle + 200 :])
    elif damage == "pickle":
        np.savez(path, fingerprint=np.array([{}], object))
    else:
        path.write_bytes(damage)
    np.testing.assert_array_equal(DsbDataset(folder, cache).load_instances("bb").dense(), before)
    assert only_file(cache).read_bytes()[:2] == b"PK"
    assert len(only_file(cache).read_bytes()) == len(content)


def test_a_cache_is_used_until_the_source_changes(folder, cache):
    DsbDataset(folder, cache)
    stamp = only_file(cache).stat().st_mtime_ns
    DsbDataset(folder, cache)
    assert only_file(cache).stat().st_mtime_ns == stamp
    (folder / "bb" / "masks" / "3.png").unlink()
    assert DsbDataset(folder, cache).instance_count("bb") == 3


def test_a_cache_of_another_source_under_this_name_is_not_believed(tmp_path, folder, cache):
    DsbDataset(folder, cache)
    other = tmp_path / "other" / "stage1_train"
    write_set(other)
    (other / "cc" / "masks" / "1.png").unlink()
    DsbDataset(other, tmp_path / "cache2")
    only_file(cache).write_bytes(only_file(tmp_path / "cache2").read_bytes())
    assert DsbDataset(folder, cache).instance_count("cc") == 4


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove_masks(folder: Path) -> None:
    for mask in (folder / "bb" / "masks").iterdir():
        mask.unlink()


BROKEN = [
    (lambda f: cut_off(f / "bb/images/bb.png"), r"bb/images/bb\.png cannot be read"),
    (lambda f: cut_off(f / "bb/masks/2.png"), r"mask bb/masks/2\.png cannot be read"),
    (lambda f: (f / "bb/masks/2.png").write_bytes(b""), r"mask bb/masks/2\.png cannot be read"),
    (
        lambda f: Image.new("L", (30, 20)).save(f / "bb/masks/1.png"),
        r"mask bb/masks/1\.png is 20 x 30 .*image 21 x 30",
    ),
    (lambda f: (f / "bb/images/bb.png").unlink(), "bb has 0 images"),
    (lambda f: Image.new("L", (3, 3)).save(f / "bb/images/b.png"), "bb has 2 images"),
    (remove_masks, "bb has no masks"),
]


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize(("damage", "message"), BROKEN)
def test_a_broken_image_is_named_or_left_out(tmp_path, folder, cache, damage, message, packed):
    damage(folder)
    path = pack(folder, tmp_path / "a.zip") if packed else folder
    for _ in range(2):
        with pytest.raises(UserError, match=message):
            DsbDataset(path, cache)
    dataset = DsbDataset(path, cache, skip_broken=True)
    assert dataset.image_ids == ("aa", "cc")
    assert len(dataset.skipped) == 1
    assert len(dataset.load_instances("cc")) == 4


def test_a_damaged_member_of_the_zip_is_named(tmp_path, folder, cache):
    path = pack(folder, tmp_path / "a.zip")
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("stage1_train/bb/masks/0.png")
    content = bytearray(path.read_bytes())
    content[info.header_offset + 100] ^= 255
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"bb/masks/0\.png in .*a\.zip cannot be read"):
        DsbDataset(path, cache)
    assert DsbDataset(path, cache, skip_broken=True).image_ids == ("aa", "cc")


def test_when_everything_is_broken_nothing_is_opened(folder, cache):
    for image_id in IDS:
        cut_off(folder / image_id / "images" / f"{image_id}.png")
    with pytest.raises(UserError, match="no usable image"):
        DsbDataset(folder, cache, skip_broken=True)


def test_an_image_that_breaks_after_opening_is_named(folder, cache):
    dataset = DsbDataset(folder, cache)
    path = folder / "cc" / "images" / "cc.png"
    Image.new("RGB", (4, 4)).save(path)
    with pytest.raises(UserError, match=r"cc/images/cc\.png .*changed its size"):
        dataset.load_image("cc")
    path.unlink()
    with pytest.raises(UserError, match=r"cc\.png cannot be read"):
        dataset.load_image("cc")


def test_paths_that_are_no_dataset(tmp_path, cache):
    with pytest.raises(UserError, match=r"none\.zip does not exist"):
        DsbDataset(tmp_path / "none.zip", cache)
    text = tmp_path / "text.zip"
    text.write_text("no zip")
    with pytest.raises(UserError, match="not a whole zip archive"):
        DsbDataset(text, cache)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match="has no images"):
        DsbDataset(empty, cache)
    assert not cache.exists()


@pytest.mark.parametrize("kind", ["images", "masks"])
def test_an_archive_without_images_or_masks(tmp_path, folder, cache, kind):
    for file in folder.glob(f"*/{kind}/*"):
        file.unlink()
    for path in (folder, pack(folder, tmp_path / "a.zip")):
        with pytest.raises(UserError, match=f"has no {kind}"):
            DsbDataset(path, cache)


def test_a_cut_off_zip_is_refused(tmp_path, folder, cache):
    path = pack(folder, tmp_path / "a.zip")
    cut_off(path)
    with pytest.raises(UserError, match="not a whole zip archive"):
        DsbDataset(path, cache)


@pytest.mark.parametrize("name", ["../x.png", "/x.png", "stage1_train/../../x.png", "a\\..\\x.png"])
def test_members_that_climb_are_refused(tmp_path, folder, cache, name):
    path = pack(folder, tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"")
    with pytest.raises(UserError, match="leaves the archive"):
        DsbDataset(path, cache)


def test_what_macos_leaves_behind_is_ignored(folder, cache):
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "aa" / "masks" / "._0.png").write_bytes(b"x")
    (folder / "aa" / "masks" / "notes.txt").write_bytes(b"x")
    assert DsbDataset(folder, cache).instance_count("aa") == 3


def test_a_cache_folder_that_cannot_be_written(tmp_path, folder):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be written.*another cache folder"):
        DsbDataset(folder, tmp_path / "file")
