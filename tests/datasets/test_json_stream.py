import io
import json
import random

import pytest

from mrcnn_al.datasets.json_stream import NotStreamable, stream_objects

NAMES = ("images", "annotations")
VALUES = (
    *(None, True, 0, -7, 12.5, 1e300, 10**30, "", 'é"}, {', "\ud800", "😀", [], {}, [{}, {}]),
    *([1, [2.5]], {"a": {"b": [1]}}, [{"a": 1}, {"b": "},{"}]),
)


def streamed(content: bytes, chunk: int) -> dict[str, list]:
    found: dict[str, list] = {}
    for name, entries in stream_objects(io.BytesIO(content), NAMES, chunk):
        found[name] = found.get(name, []) + entries
    return found


def document(seed: int) -> tuple[dict, bytes]:
    """A file with both lists among other things, in any order and layout."""
    rng = random.Random(seed)
    items = [(name, entries(rng, rng.choice((0, 1, 5, 700)))) for name in NAMES]
    items += [(f"other {index}", rng.choice(VALUES)) for index in range(rng.randrange(3))]
    rng.shuffle(items)
    content = dict(items)
    separators = rng.choice(((",", ":"), (", ", ": "), (" ,\r\n ", "\t:\n")))
    indent = rng.choice((None, 2))
    text = json.dumps(content, indent=indent, separators=separators, ensure_ascii=seed % 2 == 0)
    return content, (" \n" + text + "\n ").encode("utf-8", "surrogatepass")


def entries(rng, count):
    return [{f"k{i}": rng.choice(VALUES) for i in range(rng.randrange(4))} for _ in range(count)]


@pytest.mark.parametrize("chunk", [3, 64, 1000, 2**18])
def test_the_same_as_json_makes_of_the_whole_file(chunk):
    streamable = 0
    for seed in range(30):
        content, data = document(seed)
        # Half a surrogate pair, written as such, is no UTF-8.
        if b"\xed\xa0\x80" in data:
            with pytest.raises(NotStreamable, match="UTF-8"):
                streamed(data, chunk)
            continue
        assert streamed(data, chunk) == {name: content[name] for name in NAMES}
        streamable += 1
    assert streamable >= 15


@pytest.mark.parametrize("chunk", [1, 50, 2**18])
def test_no_beginning_of_a_file_is_a_file(chunk):
    data = b'{"a": 1.5, "images": [{"b": [1, {"c": "d"}]}, {"e": 2}], "annotations": [], "f": {}}'
    assert streamed(data, chunk)["images"] == [{"b": [1, {"c": "d"}]}, {"e": 2}]
    for length in range(len(data)):
        with pytest.raises(NotStreamable):
            streamed(data[:length], chunk)


@pytest.mark.parametrize(
    "text",
    [
        '{"images": [], "annotations": []} {}',
        '{"images": [], "annotations": [], "images": []}',
        '{"images": []}',
        "{}",
        "[]",
        '{"images": {}, "annotations": []}',
        '{"images": [3], "annotations": []}',
        '{"images": [{}, [], {}], "annotations": []}',
        '{"images": [{}, 3, {}], "annotations": []}',
        '{"images": [{},], "annotations": []}',
        '{"images": [{} {}], "annotations": []}',
        '{"images": [{"a": 01}], "annotations": []}',
        '{"images": [{}], "annotations": [],}',
        '{1: [], "images": [], "annotations": []}',
        '{"a": 1 2, "images": [], "annotations": []}',
        '\ufeff{"images": [], "annotations": []}',
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + ', "images": [], "annotations": []}',
        '{"images": [{"a": ' + "[" * 100_000 + "]" * 100_000 + '}, {}], "annotations": []}',
        '{"images": [{"a": ' + "9" * 5000 + '}], "annotations": []}',
    ],
    ids=lambda text: text[:50],
)
@pytest.mark.parametrize("chunk", [10, 2**18])
def test_what_is_not_of_that_form(text, chunk):
    with pytest.raises(NotStreamable):
        streamed(text.encode(), chunk)


def test_bytes_that_are_no_text():
    with pytest.raises(NotStreamable):
        streamed(b'{"images": [{"a": "\xff"}], "annotations": []}', 5)
    with pytest.raises(NotStreamable):
        streamed(b'{"images": [], "annotations": []}\xc3', 2**18)


def test_a_value_longer_than_many_chunks_is_not_read_over_and_over():
    data = b'{"a": "' + b"x" * 2_000_000 + b'", "images": [], "annotations": []}'
    reads = []

    class Counted(io.BytesIO):
        def read(self, size):
            reads.append(size)
            return super().read(size)

    assert [name for name, _ in stream_objects(Counted(data), NAMES, 100)] == list(NAMES)
    assert len(reads) < 40
