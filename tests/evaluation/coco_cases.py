"""Small random evaluations full of rare cases, and what pycocotools makes of them."""

import contextlib
import io

import numpy as np

from mrcnn_al.instances import Instances

# On both sides of the bounds between small, medium and large: 32^2 and 96^2 pixels.
AREAS = (1, 2, 7, 100, 1023, 1024, 1025, 9215, 9216, 9217)
SIDES = (1, 2, 9, 33, 100, 130)


def random_case(seed):
    """Ground truth and detections of a few images, the number of classes, the most detections.

    With ties in scores and overlaps, overlaps on the thresholds, crowds, images without truth or
    without detections, classes in only one of the two or in none, classes that do not count,
    masks without a pixel, boxes larger than their masks, and more detections than count.
    """
    random = np.random.default_rng(seed)
    class_count = int(random.integers(1, 5))
    limit = int(random.choice([1, 2, 10, 100, 150]))
    crowd = random.choice([0.0, 0.3, 1.0], p=[0.4, 0.5, 0.1])
    levels = int(random.choice([1, 3, 1000]))
    true_classes, found_classes = (_some_classes(random, class_count) for _ in range(2))
    truth, found = {}, {}
    for index in range(random.choice([0, 1, 2, 3, 4, 5], p=[0.02, 0.18, 0.2, 0.2, 0.2, 0.2])):
        height, width = (int(side) for side in random.choice(SIDES, 2))
        objects = [_mask(random, height, width) for _ in range(random.integers(0, 6))]
        objects += [mask.copy() for mask in objects if random.random() < 0.1]
        twins = random.random() < 0.2
        objects += _twins(height, width) if twins else []
        many = random.random() < 0.05
        others = [_mask(random, height, width) for _ in range(110 if many else random.integers(4))]
        near = [_disturbed(random, mask) for mask in objects for _ in range(random.integers(0, 4))]
        # Overlaps two objects alike, of which a second detection leaves it only one.
        both = [objects[-1] | objects[-2], objects[-random.integers(1, 3)]] if twins else []
        detected = [*near, *others, *both]
        name = f"image {random.integers(10**6)} {index}"
        truth[name] = _instances(
            random,
            (height, width),
            objects,
            random.choice(true_classes, len(objects)),
            crowd=random.random(len(objects)) < crowd,
        )
        if random.random() < 0.9:
            found[name] = _instances(
                random,
                (height, width),
                detected,
                random.choice(found_classes, len(detected)),
                scores=random.integers(0, levels + 1, len(detected)) / levels,
            )
    return truth, found, class_count, limit


def _some_classes(random, class_count):
    """Often all of them, else a few, of which 0 and the one after the last do not count."""
    if random.random() < 0.6:
        return np.arange(1, class_count + 1)
    return random.choice(class_count + 2, random.integers(1, class_count + 3))


def _mask(random, height, width):
    """Columns of some height next to each other, the last one shorter, or noise, or nothing."""
    mask = np.zeros((height, width), bool)
    kind = random.random()
    if kind < 0.05:
        return mask
    if kind < 0.2:
        return random.random((height, width)) < random.choice([0.01, 0.5, 0.99])
    area = int(random.choice(AREAS))
    rows = min(height, int(random.choice([1, 5, 32, 96, 130])))
    area = min(area, rows * width)
    columns = -(-area // rows)
    y, x = random.integers(0, height - rows + 1), random.integers(0, width - columns + 1)
    window = np.zeros(rows * columns, bool)
    window[:area] = True
    mask[y : y + rows, x : x + columns] = window.reshape(columns, rows).T
    return mask


def _twins(height, width):
    """Two objects of one size without a pixel in common."""
    masks = [np.zeros((height, width), bool) for _ in range(2)]
    half = width // 2
    masks[0][:, :half] = masks[1][:, half : 2 * half] = True
    return masks


def _disturbed(random, mask):
    """The same, moved, or with a part of it that often is exactly a threshold."""
    kind = random.integers(4)
    if kind == 0:
        return mask.copy()
    if kind == 1:
        return np.roll(mask, random.integers(-3, 4, 2), axis=(0, 1))
    pixels = np.flatnonzero(mask)
    share = random.choice([0.5, 0.55, 0.6, 0.75, 0.9, 0.95, 0.3])
    part = np.zeros(mask.size, bool)
    part[pixels[: round(share * len(pixels))]] = True
    return part.reshape(mask.shape)


def _instances(random, size, masks, class_ids, scores=None, crowd=None):
    boxes, windows = [], []
    for mask in masks:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            # Boxes of any size, none included.
            y1, x1 = (int(random.integers(0, side + 1)) for side in size)
            y2, x2 = int(random.integers(y1, size[0] + 1)), int(random.integers(x1, size[1] + 1))
        else:
            y1, y2, x1, x2 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
            if random.random() < 0.2:
                y1, x1 = random.integers(0, y1 + 1), random.integers(0, x1 + 1)
        boxes.append((y1, x1, y2, x2))
        windows.append(mask[y1:y2, x1:x2])
    return Instances(*size, class_ids, np.array(boxes).reshape(-1, 4), windows, scores, crowd)


def coco_evaluation(truth, found, class_count, limits=(1, 10, 100), library=None):
    """COCOeval after `evaluate` and `accumulate`, by pycocotools or a library with its classes.

    The masks are encoded at full size, so that nothing of ours but `Instances` is in it.
    """
    if library is None:
        import pycocotools.coco
        import pycocotools.cocoeval

        types = pycocotools.coco.COCO, pycocotools.cocoeval.COCOeval
    else:
        types = library
    coco, evaluation = types
    image_ids = sorted(truth)
    nothing = Instances.empty(1, 1, scored=True)
    datasets = []
    for images in (truth, {name: found.get(name, nothing) for name in image_ids}):
        dataset = coco()
        dataset.dataset = {
            "info": {},
            "images": [
                {"id": index, "height": truth[name].height, "width": truth[name].width}
                for index, name in enumerate(image_ids)
            ],
            "categories": [{"id": k, "name": f"{k}"} for k in range(1, class_count + 1)],
            "annotations": list(_annotations([images[name] for name in image_ids])),
        }
        datasets.append(dataset)
    with contextlib.redirect_stdout(io.StringIO()):
        for dataset in datasets:
            dataset.createIndex()
        evaluation = evaluation(*datasets, "segm")
        evaluation.params.maxDets = list(limits)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _annotations(images):
    from pycocotools import mask as coco_mask

    number = 0
    for image_index, instances in enumerate(images):
        dense = np.asfortranarray(instances.dense().astype(np.uint8))
        for index, rle in enumerate(coco_mask.encode(dense)):
            number += 1
            yield {
                "id": number,
                "image_id": image_index,
                "category_id": int(instances.class_ids[index]),
                "segmentation": rle | {"counts": rle["counts"].decode()},
                "area": int(dense[..., index].sum()),
                "bbox": coco_mask.toBbox(rle).tolist(),
                "iscrowd": int(instances.crowd[index]),
            } | ({} if instances.scores is None else {"score": float(instances.scores[index])})
