"""Private elements (PS3.5 section 7.8), found by their creator, since the block that it reserves
differs between objects.
"""

import struct

from .dataset import BINARY_URI, Dataset, raw_bytes, spelled, text


def tag_of(dataset: Dataset, group: int, creator: str, element: int) -> str | None:
    """Return the tag of a creator's element `element` (its last two digits) in this data set, or
    None if the creator has no block.
    """
    start = f"{group:04x},00"
    for tag in dataset:
        if tag.startswith(start):
            name = raw_bytes(dataset, tag)
            if name is not None and name.decode("latin-1").strip(" \0") == creator:
                return f"{tag[:5]}{tag[7:]}{element:02x}"
    return None


def private_text(dataset: Dataset, group: int, creator: str, element: int) -> str | None:
    """Return a private element's value as text; for bytes (VR UN), the text that they spell."""
    tag = tag_of(dataset, group, creator, element)
    if tag is None:
        return None
    value = text(dataset, tag)
    if value is not None and value.startswith(BINARY_URI):
        return spelled(value) or None
    return value


def private_double(dataset: Dataset, group: int, creator: str, element: int) -> float | None:
    """Return the value of a private element of VR FD, or of eight bytes that hold one (VR UN,
    little endian).
    """
    tag = tag_of(dataset, group, creator, element)
    if tag is None:
        return None
    value = text(dataset, tag)
    if value is not None and value.startswith(BINARY_URI):
        raw = raw_bytes(dataset, tag) or b""
        return struct.unpack("<d", raw)[0] if len(raw) == 8 else None
    try:
        return float(value) if value else None
    except ValueError:
        return None
