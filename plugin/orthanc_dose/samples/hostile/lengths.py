"""Broken lengths in objects that are otherwise good, and files that end too soon, for any object."""

from __future__ import annotations

import struct


def with_length(whole: bytes, head: bytes, length: int, implicit: bool = False) -> bytes:
    """Return an object with another length of one element.

    head: the element's tag and VR as they are written (in implicit encoding the tag alone)."""
    at = whole.index(head)
    if implicit:
        return whole[: at + 4] + struct.pack("<I", length) + whole[at + 8 :]
    if head[4:6] in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
        return whole[: at + 8] + struct.pack("<I", length) + whole[at + 12 :]
    return whole[: at + 6] + struct.pack("<H", length) + whole[at + 8 :]


def with_item_length(whole: bytes, head: bytes, length: int) -> bytes:
    """Return an object with another length of the first item of a sequence (explicit encoding)."""
    at = whole.index(head) + 16
    return whole[:at] + struct.pack("<I", length) + whole[at + 4 :]
