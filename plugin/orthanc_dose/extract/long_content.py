"""Packs and reads the content of long objects (dicom/long_sequence.py) piece by piece, in the form
that Kept.pack gives to all: compressed JSON."""

import codecs
import hashlib
import json
import zlib
from collections.abc import Iterator
from typing import Any

from ..dicom.dataset import Dataset
from ..dicom.long_sequence import CONTENT, LongSequence

_STEP = 1 << 18  # bytes that are decompressed at a time
_decode = json.JSONDecoder().raw_decode


def json_text(value: object) -> str:
    """Return a value as JSON without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), check_circular=False)


def pack_long(whole: dict[str, object]) -> tuple[bytes, str]:
    """Return the compressed JSON of an object's content, and its SHA-256.

    whole: the data set under "dataset", and everything else that is kept.
    """
    squeeze, digest, packed = zlib.compressobj(1), hashlib.sha256(), []
    for piece in _pieces(whole):
        raw = piece.encode("utf-8", "surrogatepass")
        digest.update(raw)
        packed.append(squeeze.compress(raw))
    return b"".join([*packed, squeeze.flush()]), digest.hexdigest()


def _pieces(value: object, depth: int = 0) -> Iterator[str]:
    """Return JSON in pieces: of an item of a long sequence, of anything else in the data set."""
    if isinstance(value, LongSequence):
        yield "["
        for at, item in enumerate(value):
            yield f"{',' if at else ''}{json_text(item)}"
        yield "]"
    elif isinstance(value, dict) and depth < 2:
        yield "{"
        for at, (key, one) in enumerate(value.items()):
            yield f"{',' if at else ''}{json_text(key)}:"
            yield from _pieces(one, depth + 1)
        yield "}"
    else:
        yield json_text(value)


def unpack_long(packed: bytes) -> dict[str, Any]:
    """Return what `pack_long` packed, with the content as a LongSequence.

    Raises zlib.error, ValueError.
    """
    whole: dict[str, Any] = {}
    reading = _Reading(packed)
    for name in reading.names():
        if name != "dataset":
            whole[name] = reading.value()
            continue
        dataset: Dataset = whole.setdefault(name, {})
        for tag in reading.names():
            if tag == CONTENT and reading.next() == "[":
                dataset[tag] = content_of(packed)
                for _ in reading.entries():
                    pass
            else:
                dataset[tag] = reading.value()
    return whole


def content_of(packed: bytes) -> LongSequence:
    """Return the content of a packed long object, whose items are read from there."""
    return LongSequence(lambda: _items(packed))


def _items(packed: bytes) -> Iterator[Dataset]:
    reading = _Reading(packed)
    for name in reading.names():
        if name != "dataset":
            reading.value()
            continue
        for tag in reading.names():
            if tag == CONTENT:
                yield from reading.entries()
                return
            reading.value()


class _Reading:
    """Reads compressed JSON without white space from its beginning, value by value."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._unzip = zlib.decompressobj()
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        self._text, self._at = "", 0

    def _more(self) -> None:
        """Read on, by as much as is there, so that long values are not tried too often."""
        wanted = max(_STEP, len(self._text) - self._at)
        raw = self._unzip.decompress(self._packed, wanted)
        self._packed = self._unzip.unconsumed_tail
        if not raw:
            raise ValueError("the kept content is incomplete")
        self._text, self._at = self._text[self._at :] + self._decoder.decode(raw), 0

    def next(self) -> str:
        """Return the next character."""
        while self._at >= len(self._text):
            self._more()
        return self._text[self._at]

    def _take(self, of: str) -> str:
        found = self.next()
        if found not in of:
            raise ValueError("the kept content is not as it was packed")
        self._at += 1
        return found

    def value(self) -> Any:
        """Return the next value, something always follows it."""
        while True:
            try:
                value, end = _decode(self._text, self._at)
                if end < len(self._text):
                    self._at = end
                    return value
            except ValueError:
                pass
            self._more()

    def names(self) -> Iterator[str]:
        """Return the keys of an object, whose values are read meanwhile."""
        self._take("{")
        if self.next() == "}":
            self._take("}")
            return
        while True:
            key: str = self.value()
            self._take(":")
            yield key
            if self._take(",}") == "}":
                return

    def entries(self) -> Iterator[Any]:
        """Return the values of a list."""
        self._take("[")
        if self.next() == "]":
            self._take("]")
            return
        while True:
            yield self.value()
            if self._take(",]") == "]":
                return
