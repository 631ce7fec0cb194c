"""Files that end too soon, or that are not DICOM files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from random import Random

from orthanc_dose.samples import codes as c
from orthanc_dose.samples.document import part10
from orthanc_dose.samples.hostile.registry import Maker, content, entry, named, refused, report
from orthanc_dose.samples.sr import (
    text,
)


def _truncated(name: str, where: Callable[[bytes], int]) -> Maker:
    def make(seed: int) -> bytes:
        whole = part10(report(name, seed, events=4))
        return whole[: where(whole)]

    return make


_CONTENT = b"\x40\x00\x30\xa7SQ"
for _name, _where, _is_refused in (
    ("truncated_in_preamble", lambda b: 100, True),
    ("truncated_after_prefix", lambda b: 132, True),
    ("truncated_in_meta", lambda b: 200, True),
    ("truncated_after_meta", lambda b: 144 + b[140] + b[141] * 256, True),
    ("truncated_in_header", lambda b: b.index(b"Sample^Anna") + 4, True),
    ("truncated_before_content", lambda b: b.index(_CONTENT), False),
    ("truncated_in_content_tag", lambda b: b.index(_CONTENT) + 9, True),
    ("truncated_at_half", lambda b: len(b) // 2, True),
    ("truncated_by_one_byte", lambda b: len(b) - 1, True),
):
    named(_name, _truncated(_name, _where), is_refused=_is_refused)

named("empty_file", lambda seed: b"", is_refused=True)
named("not_dicom", lambda seed: b"%PDF-1.7 " + Random(seed).randbytes(4000), is_refused=True)
named(
    "random_after_prefix",
    lambda seed: bytes(128) + b"DICM" + Random(seed).randbytes(4000),
    is_refused=True,
)


@entry
def trailing_garbage_in_text(seed: int) -> bytes:
    return content(
        "trailing_garbage_in_text", seed, text(c.COMMENT, "x\r\n\t\x0b\x1b[31m\x7f" * 50)
    )


@refused
def length_beyond_end(seed: int) -> bytes:
    """Write a length of 2 GB for the content sequence."""
    whole = part10(report("length_beyond_end", seed))
    at = whole.index(_CONTENT) + 8
    return whole[:at] + struct.pack("<I", 0x7FFFFFFF) + whole[at + 4 :]


@refused
def item_length_beyond_sequence(seed: int) -> bytes:
    """Write a first content item that claims more bytes than its sequence has."""
    whole = part10(report("item_length_beyond_sequence", seed))
    at = whole.index(_CONTENT) + 16
    return whole[:at] + struct.pack("<I", 0x00FFFFFF) + whole[at + 4 :]


@refused
def transfer_syntax_lies(seed: int) -> bytes:
    """Write Explicit VR bytes under file meta information that says Implicit VR."""
    whole = part10(report("transfer_syntax_lies", seed))
    return whole.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0", 1)


@entry
def deflated_bomb(seed: int) -> bytes:
    """Write a deflated object of 20 kB that inflates to 20 MB of text."""
    whole = content("deflated_bomb", seed, text(c.COMMENT, "A" * 20_000_000))
    start = 144 + struct.unpack("<I", whole[140:144])[0]
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflate.compress(whole[start:]) + deflate.flush()
    meta = whole[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99", 1)
    # The longer transfer syntax UID adds two bytes to its element and to the group.
    at = meta.index(b"1.2.840.10008.1.2.1.99") - 2
    meta = meta[:at] + struct.pack("<H", 22) + meta[at + 2 :]
    return (
        meta[:140]
        + struct.pack("<I", start - 144 + 2)
        + meta[144:]
        + packed
        + b"\0" * (len(packed) & 1)
    )
