"""A DICOM data set as plain Python values, the only form in which the rest of the program sees an
object.

`Dataset` maps "gggg,eeee" (lower-case hexadecimal) to text, to a list of `Dataset` for sequences,
or to None for an element without a value. Multiple values are kept in one text, separated by
backslashes; numbers stay text as written; binary values are data URIs in base64. Orthanc writes
this form too (its "short" JSON), `from_pydicom` converts pydicom's objects to it, and
`orthanc_dose.dicom.part10` reads it from the bytes of an object."""

import base64
import binascii
from functools import lru_cache
from typing import Any, TypeAlias

import pydicom
from pydicom.datadict import dictionary_description, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue

Value: TypeAlias = "str | list[Dataset] | None"
Dataset: TypeAlias = dict[str, Value]

PIXEL_DATA = frozenset({"7fe0,0010", "7fe0,0008", "7fe0,0009"})
BINARY_URI = "data:application/octet-stream;base64,"


class Unreadable(ValueError):
    """The object cannot be read; the message tells the user why, without any of its values."""


def text(dataset: Dataset, tag: str) -> str | None:
    """Return an element's value as text without padding; None if absent, empty or a sequence."""
    value = dataset.get(tag)
    if not isinstance(value, str):
        return None
    return value.strip(" \0") or None


def first(dataset: Dataset, tag: str) -> str | None:
    """Return the first non-empty value of an element that may have several."""
    value = text(dataset, tag)
    if value is None or "\\" not in value:
        return value
    return next((part.strip() for part in value.split("\\") if part.strip()), None)


def values(dataset: Dataset, tag: str) -> list[str]:
    """Return all non-empty values of an element."""
    return [part.strip() for part in (text(dataset, tag) or "").split("\\") if part.strip()]


def items(dataset: Dataset, tag: str) -> list[Dataset]:
    """Return the items of a sequence; an empty list if the element is absent or no sequence."""
    value = dataset.get(tag)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def raw_bytes(dataset: Dataset, tag: str) -> bytes | None:
    """Return the bytes of a binary value (VR UN, OB and the like), or else those of its text."""
    value = text(dataset, tag)
    if value is None or not value.startswith(BINARY_URI):
        return value.encode("latin-1", "replace") if value else None
    try:
        return base64.b64decode(value[len(BINARY_URI) :], validate=True)
    except (binascii.Error, ValueError):
        return None


def spelled(value: str) -> str | None:
    """Return the text that a binary value spells, if all of it is printable, else None."""
    try:
        raw = base64.b64decode(value.removeprefix(BINARY_URI), validate=True).rstrip(b" \0")
    except (binascii.Error, ValueError):
        return None
    plain = raw.decode("latin-1").strip()
    return (
        plain
        if raw.isascii()
        and plain.replace("\r", "").replace("\n", "").replace("\t", "").isprintable()
        else None
    )


@lru_cache(maxsize=10_000)
def element_name(tag: str) -> str | None:
    """Return the standard's name of an element "gggg,eeee", or None if it has none."""
    try:
        return dictionary_description(int(tag.replace(",", ""), 16))
    except (KeyError, ValueError):
        return None


def binary(raw: bytes) -> str:
    """Return a binary value in the form that a data set holds."""
    return BINARY_URI + base64.b64encode(raw).decode("ascii")


def from_pydicom(source: pydicom.Dataset) -> Dataset:
    """Convert an object that pydicom read to a `Dataset`. Pixel data is left out."""
    out: Dataset = {}
    for key in source.keys():  # noqa: SIM118  (a data set goes over its elements)
        tag = f"{key.group:04x},{key.element:04x}"
        if tag in PIXEL_DATA or key.element == 0:
            continue
        raw = source.get_item(key)
        if (
            isinstance(raw, RawDataElement)
            and raw.VR == "UN"
            and not isinstance(raw.value, list)
            and _stays_unknown(raw)
        ):
            # pydicom would give some private elements the type from its own table; the object does
            # not state that type.
            out[tag] = binary(raw.value or b"")
            continue
        element = source[key]
        value = element.value
        if element.VR == "SQ":
            out[tag] = [from_pydicom(item) for item in value]
        elif value is None or value == "" or value == []:
            out[tag] = ""
        elif isinstance(value, bytes):
            out[tag] = binary(value)
        elif isinstance(value, (list, tuple, MultiValue)):
            out[tag] = "\\".join(_plain(part, element.VR) for part in value)
        else:
            out[tag] = _plain(value, element.VR)
    return out


def _stays_unknown(raw: RawDataElement) -> bool:
    try:
        return (
            raw.tag.is_private
            or len(raw.value or b"") >= 0xFFFF
            or " or " in dictionary_VR(raw.tag)
        )
    except KeyError:
        return True


def _plain(value: Any, vr: str) -> str:
    if vr == "AT":
        number = int(value)
        return f"{number >> 16:04x},{number & 0xFFFF:04x}"
    original = getattr(value, "original_string", None)
    return str(original if isinstance(original, str) else "" if value is None else value).rstrip(
        " \0"
    )
