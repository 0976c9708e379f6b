"""COCO annotation files that are wrong in ways nobody thought of, each made from a number."""

import copy
import json
import random

from PIL import Image

MASK = {"size": [7, 9], "counts": "?3400000;NI"}
VALID = {
    "info": {"description": "valid"},
    "images": [
        {"id": 10, "file_name": "ten.png", "height": 7, "width": 9},
        {"id": 3, "file_name": "sub/three.png", "height": 1, "width": 5},
        {"id": 2**40, "file_name": "large.png", "height": 30, "width": 20},
    ],
    "categories": [
        {"id": 2, "name": "b", "supercategory": ""},
        {"id": 90, "name": "ü €", "supercategory": "x"},
        {"id": 17, "name": "a"},
    ],
    "annotations": [
        {
            "id": 1,
            "image_id": 10,
            "category_id": 90,
            "segmentation": [[1, 1, 5.5, 1, 5.5, 4.25, 1, 4], [6, 5, 8, 5, 8, 7, 6, 7]],
            "bbox": [1, 1, 7, 6],
            "area": 16,
            "iscrowd": 0,
        },
        {
            "id": 2,
            "image_id": 10,
            "category_id": 2,
            "segmentation": {"size": [7, 9], "counts": [10, 3, 4, 3, 43]},
            "iscrowd": 1,
        },
        {
            "id": 3,
            "image_id": 2**40,
            "category_id": 17,
            "segmentation": [[-3, -3, 40, -3, 40, 50, -3, 50]],
            "iscrowd": 0,
        },
        {"id": 4, "image_id": 3, "category_id": 17, "segmentation": [[0, 0, 5, 0, 5, 1, 0, 1]]},
        {"id": 5, "image_id": 10, "category_id": 2, "segmentation": MASK, "iscrowd": 0},
    ],
}
SIZES = {"ten.png": (9, 7), "sub/three.png": (5, 1), "large.png": (20, 30)}

NAMES = (
    *("../secret.png", "/etc/hostname", "a/../../secret.png", "out.png", "outside/secret.png"),
    *("C:\\a.png", "C:a.png", "..\\secret.png", "\\\\host\\share\\a.png", "a\0b.png", "", "."),
    *("./", "/", "..", "sub", "sub/", "sub//three.png", "sub/../ten.png", "./ten.png", "~/a.png"),
    *(
        "\ud800/a.png",
        "\ud800.png",
        "a" * 5000,
        "a/" * 3000 + "b",
        "loop.png",
        "%2e%2e/secret.png",
        "ten.png\n",
    ),
)
NUMBERS = (
    *(0, -1, 1, 2, 3, 7, 9, 10, 2**31 - 1, 2**31, 2**32, 2**63, 2**64, 10**9, 10**18, 10**400),
    *(-(10**9), 0.5, -0.0, 1e6, 999999.5, 1e12, 1e308, -1e308),
    *(float("nan"), float("inf"), float("-inf")),
)
TEXTS = (
    *("", "0", "10", "ten.png", "o", "ooooo", "PPPPPPPP", "0" * 63, "`" * 3000, "_" * 500),
    *("\ud800", "\udfff", "\0", "\x1b[31m", "é", "\U0001f600", "a" * 3000),
    *("?3400000;NI", "?3400000;N", "\x2f", "\x70", "zzzzzzz0"),
)
OTHERS = (None, True, False, [], {}, [[]], [{}], {"": []}, [None] * 5, [[1] * 6], [[1] * 7])
FIELDS = (
    *("id", "file_name", "height", "width", "name", "image_id", "category_id", "segmentation"),
    *("iscrowd", "size", "counts"),
)


def write_images(folder) -> None:
    """The images of `VALID`, and links that nobody may follow."""
    for name, size in SIZES.items():
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(path)
    Image.new("RGB", (9, 7)).save(folder / "secret.png")
    (folder / "images" / "out.png").symlink_to("../secret.png")
    (folder / "images" / "outside").symlink_to("..")
    (folder / "images" / "loop.png").symlink_to("loop.png")


def mutated(number: int) -> bytes:
    """Case `number`: always the same."""
    rng = random.Random(number)
    content = copy.deepcopy(VALID)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3, 5))):
        content = rng.choice((_replace, _replace, _drop, _repeat, _swap, _field, _bend, _rename))(
            content, rng
        )
    text = json.dumps(content, ensure_ascii=rng.random() < 0.8)
    if rng.random() < 0.08:
        # Nested deeper than json.dumps itself goes.
        depth = rng.choice((40, 400, 900, 990, 5000, 100_000))
        opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
        target = rng.choice(('"ten.png"', "90", "[10, 3, 4, 3, 43]", '"b"', "5.5"))
        text = text.replace(target, opening * depth + "1" + closing * depth, 1)
    data = text.encode("utf-8", "surrogatepass")
    for _ in range(rng.choice((0, 0, 1, 3))):
        data = rng.choice((_flip, _flip, _cut, _cut_out, _double, _insert, _encode))(data, rng)
    return data


def _value(rng: random.Random):
    kind = rng.choice((NUMBERS, NUMBERS, TEXTS, NAMES, OTHERS))
    return copy.deepcopy(rng.choice(kind))


def _places(node, found=None):
    """Every (container, key) in the tree."""
    found = [] if found is None else found
    if isinstance(node, (dict, list)):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            found.append((node, key))
            _places(node[key], found)
    return found


def _place(content, rng):
    places = _places(content)
    return rng.choice(places) if places else None


def _replace(content, rng):
    place = _place(content, rng)
    if place is None or rng.random() < 0.01:
        return _value(rng)
    place[0][place[1]] = _value(rng)
    return content


def _drop(content, rng):
    place = _place(content, rng)
    if place is not None:
        del place[0][place[1]]
    return content


def _repeat(content, rng):
    lists = [(n, k) for n, k in _places(content) if isinstance(n, list)]
    if lists:
        node, key = rng.choice(lists)
        node[key:key] = [copy.deepcopy(node[key]) for _ in range(rng.choice((1, 2, 50)))]
    return content


def _swap(content, rng):
    first, second = _place(content, rng), _place(content, rng)
    if first is not None:
        here, there = (copy.deepcopy(node[key]) for node, key in (first, second))
        first[0][first[1]] = there
        # The first change may have taken the second place away.
        if isinstance(second[0], dict) or second[1] < len(second[0]):
            second[0][second[1]] = here
    return content


def _field(content, rng):
    """A value of the right kind where it matters, but a bad one."""
    places = [p for p in _places(content) if p[1] in FIELDS]
    if places:
        node, key = rng.choice(places)
        right = {str: (*TEXTS, *NAMES), int: NUMBERS}.get(type(node[key]), OTHERS)
        node[key] = copy.deepcopy(rng.choice(right))
    return content


def _bend(content, rng):
    """Sizes, outlines and runs that fit each other, and only each other."""
    try:
        image = rng.choice(content["images"])
        annotation = rng.choice(content["annotations"])
        image["height"], image["width"] = (rng.choice((1, 2, 7, 9, 4000, 10**9)) for _ in range(2))
        annotation["image_id"] = image["id"]
        area = image["height"] * image["width"]
        far = rng.choice((1, 10, 5000, 999_999, 1e9))
        points = [rng.uniform(-far, far) for _ in range(2 * rng.choice((2, 3, 30, 400)))]
        annotation["segmentation"] = rng.choice(
            (
                [points],
                [points] * 30,
                {"size": [image["height"], image["width"]], "counts": [0, area]},
                {"size": [image["height"], image["width"]], "counts": [area - 1, 0, 0, 1]},
                {"size": [image["height"], image["width"]], "counts": [0] * 1000 + [area]},
                {**MASK, "counts": "".join(rng.choices("0123PQO_`ao", k=rng.randint(1, 40)))},
            )
        )
    except (KeyError, TypeError, IndexError):
        pass
    return content


def _rename(content, rng):
    """What a class or a file is called."""
    places = [p for p in _places(content) if p[1] in ("file_name", "name")]
    if places:
        node, key = rng.choice(places)
        strange = ("\ud800", "\udfff", "\0", "\x1b[31m", "\n", " ", "b", "é", "\u202e", "a" * 9999)
        node[key] = rng.choice(NAMES if rng.random() < 0.5 else strange)
    return content


def _flip(data, rng):
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 8)) if data else 0):
        changed[rng.randrange(len(data))] = rng.choice((0, 0x22, 0x2C, 0xFF, rng.randrange(256)))
    return bytes(changed)


def _cut(data, rng):
    return data[: rng.randint(0, len(data))]


def _cut_out(data, rng):
    begin = rng.randint(0, len(data))
    return data[:begin] + data[begin + rng.choice((1, 2, 10, 100)) :]


def _double(data, rng):
    begin = rng.randint(0, len(data))
    end = begin + rng.choice((1, 5, 100))
    return data[:end] + data[begin:end] * rng.choice((1, 3)) + data[end:]


def _insert(data, rng):
    begin = rng.randint(0, len(data))
    return (
        data[:begin]
        + rng.choice((b"\0", b"\xff\xfe", b"NaN", b"9" * 5000, b"\\ud800"))
        + (data[begin:])
    )


def _encode(data, rng):
    coding = rng.choice(("utf-16", "utf-8-sig", "latin-1", "utf-32-le"))
    return data.decode("latin-1").encode(coding)
