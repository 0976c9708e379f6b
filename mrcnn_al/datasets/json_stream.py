"""Lists of objects inside a JSON file of any size, a few objects at a time."""

import codecs
import json
import re
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

# Small enough for what is made of it to stay in the processor's cache.
CHUNK = 2**16
_BATCH = 500
# Places that may be the end of an object to look at; the last ones may be within another.
_TRIES = 20

_scan = json.JSONDecoder().scan_once
_SPACE = re.compile(r"[ \t\n\r]*")
_ANOTHER = re.compile(r"[ \t\n\r]*,(?=[ \t\n\r]*\{)")


class NotStreamable(Exception):
    """A file is broken or not of the expected form; to be read as a whole to say what it is."""


def stream_objects(
    file: BinaryIO, names: Collection[str], chunk: int = CHUNK
) -> Iterator[tuple[str, list[dict]]]:
    """Reads lists of objects that an object holds, and passes over everything else in it.

    Values are those of `json.loads`, which decodes each of them. That the file is valid to its
    end is known only when the last batch has been taken.

    Args:
        file: UTF-8; is read to its end.
        names: keys of the outermost object, each of which must occur once and hold such a list.
        chunk: bytes to read at a time.

    Yields:
        Key and objects, in the order of the file; of each list first an empty batch.

    Raises:
        NotStreamable: the file is not like that.
    """
    text = _Text(file, chunk)
    text.punctuation("{")
    missing, delimiter = set(names), ","
    while delimiter == ",":
        key, _ = text.value(":")
        if not isinstance(key, str):
            raise NotStreamable("a key is no text")
        if key in names:
            if key not in missing:
                raise NotStreamable("a list occurs twice")
            missing.remove(key)
            for batch in _objects(text):
                yield key, batch
            delimiter = text.punctuation(",}")
        else:
            _, delimiter = text.value(",}")
    if missing or not text.is_at_end():
        raise NotStreamable("a list is missing, or there is more than one value")


def _objects(text: "_Text") -> Iterator[list[dict]]:
    text.punctuation("[")
    yield []
    if text.next_character() == "]":
        text.punctuation("]")
        return
    batch, delimiter = [], ","
    while delimiter == ",":
        batch += text.objects()
        entry, delimiter = text.value(",]")
        if type(entry) is not dict:
            raise NotStreamable("a list holds something else than objects")
        batch.append(entry)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    yield batch


class _Text:
    """A window on the text of a file, which moves on as values are taken from it."""

    def __init__(self, file: BinaryIO, chunk: int):
        self._file, self._chunk = file, chunk
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._text, self._at = "", 0
        self._is_tried = False
        self._patterns = {
            expected: re.compile(rf"[ \t\n\r]*([{re.escape(expected)}])")
            for expected in ("{", "[", "]", ":", ",}", ",]")
        }

    def value(self, expected: str) -> tuple[Any, str]:
        """The next value, and which of the expected characters comes after it."""
        after = self._patterns[expected].match
        while True:
            try:
                value, end = _scan(self._text, _SPACE.match(self._text, self._at).end())
                # What ends with the window may go on behind it, as numbers do.
                delimiter = after(self._text, end)
                if delimiter:
                    self._at = delimiter.end()
                    return value, delimiter[1]
            except (StopIteration, ValueError):
                # Cut off by the end of the window, or wrong; then it stays so.
                pass
            except RecursionError as error:
                raise NotStreamable("a value is nested too deep") from error
            self._extend()

    def objects(self) -> list[dict]:
        """The objects up to a comma and another one, if a look at the window finds such a place.

        Twice as quick as one after the other. What is cut out is the beginning of the list if,
        and only if, it is a list when it is closed there.
        """
        if self._is_tried:
            return []
        self._is_tried = True
        begin = _SPACE.match(self._text, self._at).end()
        end = len(self._text)
        for _ in range(_TRIES):
            end = self._text.rfind("}", begin, end)
            if end < 0:
                break
            follows = _ANOTHER.match(self._text, end + 1)
            if not follows:
                continue
            try:
                found = json.loads(f"[{self._text[begin : end + 1]}]")
            except (ValueError, RecursionError):
                break
            if any(type(entry) is not dict for entry in found):
                raise NotStreamable("a list holds something else than objects")
            self._at = follows.end()
            return found
        return []

    def punctuation(self, expected: str) -> str:
        """The next character other than space, one of those expected."""
        found = self.next_character()
        if found not in expected:
            raise NotStreamable(f"{found} in place of {expected}")
        self._at = _SPACE.match(self._text, self._at).end() + 1
        return found

    def next_character(self) -> str:
        """The next character other than space, which is not taken."""
        while True:
            position = _SPACE.match(self._text, self._at).end()
            if position < len(self._text):
                return self._text[position]
            self._extend()

    def is_at_end(self) -> bool:
        """Whether there is only space up to the end of the file."""
        while _SPACE.match(self._text, self._at).end() == len(self._text):
            try:
                self._extend()
            except _Ended:
                return True
        return False

    def _extend(self) -> None:
        rest = self._text[self._at :]
        # As much again as there is, so that a very long value is not tried too often.
        content = self._file.read(max(self._chunk, len(rest)))
        try:
            self._text = rest + self._decode(content, not content)
        except UnicodeDecodeError as error:
            raise NotStreamable("not UTF-8") from error
        self._at, self._is_tried = 0, False
        if not content:
            raise _Ended("the file ends too early")


class _Ended(NotStreamable):
    """There is nothing more to read."""
