"""A DICOM data set as plain Python values, the one form in which the rest of the program sees an
object.

`Dataset` maps "gggg,eeee" (lower-case hexadecimal) to text, to a list of `Dataset` for sequences,
or to None for an element without value. Several values stand in one text, parted by a backslash;
numbers stay text as written; binary values are a data URI in base64. Orthanc writes this form too
(its "short" JSON), pydicom's objects are brought to it by `from_pydicom`, and
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
    """The object cannot be read; the message says why in words for a user, without any value of the
    object.
    """


def text(dataset: Dataset, tag: str) -> str | None:
    """The value of an element as text without padding, or None where it is absent, empty or a
    sequence.
    """
    value = dataset.get(tag)
    if not isinstance(value, str):
        return None
    return value.strip(" \0") or None


def first(dataset: Dataset, tag: str) -> str | None:
    """The first non-empty of several values."""
    value = text(dataset, tag)
    if value is None or "\\" not in value:
        return value
    return next((part.strip() for part in value.split("\\") if part.strip()), None)


def values(dataset: Dataset, tag: str) -> list[str]:
    """All non-empty values of an element."""
    return [part.strip() for part in (text(dataset, tag) or "").split("\\") if part.strip()]


def items(dataset: Dataset, tag: str) -> list[Dataset]:
    """The items of a sequence; none where the element is absent or is no sequence."""
    value = dataset.get(tag)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def raw_bytes(dataset: Dataset, tag: str) -> bytes | None:
    """The bytes of a value that stands as bytes (an element of VR UN, OB and the like); those of
    its text otherwise.
    """
    value = text(dataset, tag)
    if value is None or not value.startswith(BINARY_URI):
        return value.encode("latin-1", "replace") if value else None
    try:
        return base64.b64decode(value[len(BINARY_URI) :], validate=True)
    except (binascii.Error, ValueError):
        return None


def spelled(value: str) -> str | None:
    """The text that bytes spell where all of them are printable, for a value that stands as
    bytes.
    """
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
    """The standard's name of an element "gggg,eeee", or None for one that it does not know."""
    try:
        return dictionary_description(int(tag.replace(",", ""), 16))
    except (KeyError, ValueError):
        return None


def binary(raw: bytes) -> str:
    """The form in which a binary value stands in a data set."""
    return BINARY_URI + base64.b64encode(raw).decode("ascii")


def from_pydicom(source: pydicom.Dataset) -> Dataset:
    """The same form from an object that pydicom read. Pixel data is left out."""
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
            # pydicom would give some private elements the type that its own table names; the object
            # does not say it.
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
