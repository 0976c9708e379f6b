"""How long a COCO-sized annotation file takes to open, the first time and every later time.

python benchmarks/annotations.py
python benchmarks/annotations.py --out /tmp/coco --keep-cache

The files are made once (half a gigabyte, a minute) and say the same on every machine. Each
measurement runs in a process of its own. Prints one JSON line: seconds on the clock and of the
processor, peak memory of the process in MiB.
"""

import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

import click
import numpy as np

# Images, instances and images without an instance of COCO 2017.
PARTS = {"train2017": (118_287, 860_001, 1_021), "val2017": (5_000, 36_781, 48)}
MOST_INSTANCES = 93
CROWDS = 0.01
# COCO's category ids, which have gaps, and how many instances train2017 has of each, in hundreds.
CATEGORIES = {
    **{1: 2625, 2: 71, 3: 439, 4: 87, 5: 51, 6: 61, 7: 46, 8: 100, 9: 108, 10: 129, 11: 19, 13: 20},
    **{14: 13, 15: 98, 16: 108, 17: 48, 18: 55, 19: 66, 20: 95, 21: 81, 22: 55, 23: 13, 24: 53},
    **{25: 51, 27: 87, 28: 114, 31: 124, 32: 65, 33: 62, 34: 27, 35: 66, 36: 27, 37: 63, 38: 91},
    **{39: 33, 40: 37, 41: 55, 42: 61, 43: 48, 44: 243, 46: 79, 47: 207, 48: 55, 49: 78, 50: 62},
    **{51: 144, 52: 95, 53: 59, 54: 44, 55: 64, 56: 73, 57: 79, 58: 29, 59: 58, 60: 72, 61: 64},
    **{62: 385, 63: 58, 64: 87, 65: 42, 67: 157, 70: 42, 72: 58, 73: 50, 74: 23, 75: 57, 76: 29},
    **{77: 64, 78: 17, 79: 33, 80: 2, 81: 56, 82: 26, 84: 247, 85: 63, 86: 66, 87: 15, 88: 48},
    **{89: 2, 90: 20},
}
# Those that the subset coco3 asks for by name; the others need none.
NAMES = {
    **{1: "person", 3: "car", 5: "airplane", 9: "boat", 13: "stop sign", 18: "dog"},
    **{22: "elephant", 59: "pizza", 70: "toilet", 85: "clock"},
}
# A few more images show people than in COCO, so that coco3 has enough of them for certain.
PERSON, PEOPLE = 1, 0.62
SIZES = ((480, 640), (640, 480), (427, 640), (640, 427), (375, 500), (500, 375), (640, 640))
SIZE_SHARES = (0.33, 0.12, 0.2, 0.1, 0.12, 0.08, 0.05)
# Numbers are written with two decimals, from a table of all that occur.
HUNDREDTHS = [repr(value / 100) for value in range(64_001)]
FLICKR = "http://farm4.staticflickr.com/3153/2970773875_164f0c0b83_z.jpg"


@click.command()
@click.option("--out", type=click.Path(), help="Folder for the files.  [default: a temporary one]")
@click.option("--share", default=1.0, show_default=True, help="Of COCO's images, for a try.")
@click.option("--keep-cache", is_flag=True, help="Begin with what is in the cache of --out.")
def main(out, share, keep_cache):
    """Measures on files that are made up, with COCO's numbers."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(out or temporary)
        for part in PARTS:
            make_part(folder, part, share)
        cache = folder / ".cache"
        if not keep_cache:
            shutil.rmtree(cache, ignore_errors=True)
        path = annotation_file(folder, "train2017")
        result = {
            "images": share_of("train2017", share)[0],
            "instances": share_of("train2017", share)[1],
            "file_mib": round(path.stat().st_size / 2**20),
            "sha256": digest(path)[:16],
            "without_cache": alone(open_part, folder, None),
            "first": alone(open_part, folder, cache),
            "later": alone(open_part, folder, cache),
            "coco3_first": alone(open_coco3, folder, cache, share),
            "coco3": alone(open_coco3, folder, cache, share),
            "cache_mib": round(sum(f.stat().st_size for f in cache.rglob("*")) / 2**20),
            "cores": os.cpu_count(),
        }
    click.echo(json.dumps(result))


def alone(function, *arguments):
    """What a function measures in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def open_part(folder, cache):
    """Opening `train2017`; then the masks of a hundred images."""
    from mrcnn_al.datasets.coco import CocoDataset

    begin = clock()
    dataset = CocoDataset(annotation_file(folder, "train2017"), folder / "train2017", False, cache)
    result = measured(begin)
    begin = time.perf_counter()
    step = max(1, len(dataset.image_ids) // 100)
    count = sum(len(dataset.annotations(i).areas) for i in dataset.image_ids[::step])
    seconds = time.perf_counter() - begin
    assert count > 0
    return result | {"milliseconds_an_image_then": round(10 * seconds, 3)}


def open_coco3(folder, cache, share):
    """Opening both parts and building coco3 from them; without opening them in `building`."""
    from mrcnn_al.datasets.subsets import open_dataset, open_subset, split_dataset

    scale = None if share == 1 else share
    begin = clock()
    subset = open_subset("coco3", folder, cache, scale=scale)
    result = measured(begin) | {"train": len(subset.train), "test": len(subset.test)}
    begin = time.perf_counter()
    dataset = open_dataset("coco3", folder, cache, scale=scale)
    opened = time.perf_counter()
    split_dataset("coco3", dataset, scale=scale)
    return result | {
        "of_this_opening": round(opened - begin, 3),
        "of_this_splitting": round(time.perf_counter() - opened, 3),
    }


def clock():
    """Seconds on the clock, of the processor."""
    return time.perf_counter(), time.process_time()


def measured(begin):
    seconds, processor = (now - then for now, then in zip(clock(), begin, strict=True))
    return {
        "seconds": round(seconds, 3),
        "processor_seconds": round(processor, 3),
        "peak_mib": peak_mib(),
        "resident_mib": status("VmRSS") or peak_mib(),
    }


def peak_mib():
    # Linux hands the peak of the parent down to its children in ru_maxrss, but not here.
    return status("VmHWM") or round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def status(name):
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.exists() else ()
    return next((round(int(s.split()[1]) / 1024) for s in lines if s.startswith(f"{name}:")), None)


def digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def annotation_file(folder, part):
    return folder / "annotations" / f"instances_{part}.json"


def share_of(part, share):
    """Images, instances and images without an instance."""
    return tuple(max(1, round(share * number)) for number in PARTS[part])


def make_part(folder, part, share):
    """Writes the annotation file and an empty file for each image, unless they are there."""
    path, stamp = annotation_file(folder, part), folder / f".{part}"
    numbers = share_of(part, share)
    if stamp.exists() and stamp.read_text() == str(numbers):
        return
    images = folder / part
    for place in (images, path.parent):
        place.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(PARTS).index(part))
    sizes = np.array(SIZES)[rng.choice(len(SIZES), numbers[0], p=SIZE_SHARES)]
    ids = np.sort(rng.choice(581_921, numbers[0], replace=False)) + 1
    with path.open("w", encoding="utf-8") as file:
        # In COCO's own files, too, the categories come last.
        file.write('{"info": {"description": "made up"}, "licenses": [], "images": [')
        file.write(", ".join(image_texts(ids, sizes, part)))
        file.write('], "annotations": [')
        write_annotations(file, rng, ids, sizes, *numbers[1:])
        file.write('], "categories": ')
        names = [{"id": i, "name": NAMES.get(i, f"class {i}")} for i in CATEGORIES]
        file.write(f"{json.dumps(names)}}}")
    for number in ids.tolist():
        (images / f"{number:012d}.jpg").touch()
    stamp.write_text(str(numbers))


def image_texts(ids, sizes, part):
    for number, (height, width) in zip(ids.tolist(), sizes.tolist(), strict=True):
        name = f"{number:012d}.jpg"
        yield (
            f'{{"license": 3, "file_name": "{name}", '
            f'"coco_url": "http://images.cocodataset.org/{part}/{name}", "height": {height}, '
            f'"width": {width}, "date_captured": "2013-11-14 11:18:45", "flickr_url": "{FLICKR}", '
            f'"id": {number}}}'
        )


def write_annotations(file, rng, ids, sizes, total, without):
    """In an order that has nothing to do with that of the images, as in COCO."""
    counts = instance_counts(rng, len(ids), total, without)
    images = np.repeat(np.arange(len(ids)), counts)
    categories = instance_categories(rng, counts)
    order = rng.permutation(len(images))
    images, categories = images[order], categories[order]
    crowds = rng.random(len(images)) < CROWDS
    before = ""
    for begin in range(0, len(images), 20_000):
        block = slice(begin, begin + 20_000)
        shapes = polygons(rng, sizes[images[block]])
        rows = zip(images[block], categories[block], crowds[block], shapes, strict=True)
        for number, (image, category, crowd, text) in enumerate(rows, begin + 1):
            if crowd:
                text = runs(rng, *sizes[image].tolist())
            file.write(
                f'{before}{{"segmentation": {text}, "area": 2765.1486500000005, '
                f'"iscrowd": {int(crowd)}, "image_id": {ids[image]}, '
                f'"bbox": [199.84, 200.46, 77.71, 70.88], "category_id": {category}, '
                f'"id": {number}}}'
            )
            before = ", "


def instance_counts(rng, images, total, without):
    """Half of the images have four and fewer, one has 93."""
    counts = np.zeros(images, np.int64)
    shown = rng.permutation(images)[: images - without]
    mean = total / len(shown)
    drawn = 1 + rng.poisson(rng.gamma(0.8, (mean - 1) / 0.8, len(shown)))
    counts[shown] = np.minimum(drawn, MOST_INSTANCES)
    counts[shown[0]] = MOST_INSTANCES
    # One more or one less here and there, until the sum is right.
    while (lacking := total - int(counts.sum())) != 0:
        usual = shown[(counts[shown] > 1) & (counts[shown] < MOST_INSTANCES - 1)]
        counts[rng.permutation(usual)[: abs(lacking)]] += np.sign(lacking)
    return counts


def instance_categories(rng, counts):
    """Of the instances of each image in turn: a few categories, the first of them most often."""
    ids = np.array(list(CATEGORIES))
    shares = np.array([CATEGORIES[i] for i in ids]) * (ids != PERSON)
    choices = rng.choice(ids, (len(counts), 8), p=shares / shares.sum())
    people = rng.random(len(counts)) < PEOPLE
    choices[people, 0] = PERSON
    several = np.minimum(1 + rng.poisson(1.9, len(counts)), 8)
    images = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(images)) - np.repeat(np.cumsum(counts) - counts, counts)
    drawn = (several[images] * rng.random(len(images)) ** 1.5).astype(np.int64)
    return choices[images, np.where(within < several[images], within, drawn)]


def polygons(rng, sizes):
    """Round outlines with COCO's numbers of corners; one instance in twelve has several."""
    parts = 1 + (rng.random(len(sizes)) < 0.08) * rng.geometric(0.7, len(sizes))
    corners = np.clip(np.exp(rng.normal(2.76, 0.717, parts.sum())), 4, 400).astype(np.int64)
    of_image = np.repeat(np.repeat(sizes, parts, axis=0), corners, axis=0)
    angle = 2 * np.pi * rng.random(len(of_image))
    angle = angle[np.lexsort((angle, np.repeat(np.arange(len(corners)), corners)))]
    centre = np.repeat(rng.random((parts.sum(), 2)), corners, axis=0)
    radius = np.repeat(np.exp(rng.normal(3.3, 1.1, parts.sum())), corners)
    radius *= 0.7 + 0.6 * rng.random(len(of_image))
    points = centre * of_image[:, ::-1] + radius[:, None] * np.stack(
        [np.cos(angle), np.sin(angle)], axis=1
    )
    points = np.clip(100 * points, 0, 100 * of_image[:, ::-1]).astype(np.int64)
    ends = 2 * np.cumsum(corners)
    flat, at = points.ravel().tolist(), 0
    texts = [
        f"[{', '.join([HUNDREDTHS[value] for value in flat[end - 2 * count : end]])}]"
        for count, end in zip(corners.tolist(), ends.tolist(), strict=True)
    ]
    for count in parts.tolist():
        yield f"[{', '.join(texts[at : at + count])}]"
        at += count


def runs(rng, height, width):
    """A crowd, as uncompressed run lengths."""
    count = int(np.clip(np.exp(rng.normal(6.3, 0.9)), 10, 5000))
    borders = np.sort(rng.integers(0, height * width, count))
    lengths = np.diff(borders, prepend=0, append=height * width).tolist()
    return json.dumps({"counts": lengths, "size": [height, width]})


if __name__ == "__main__":
    main()
