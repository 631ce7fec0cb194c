"""What the generators of images share: a header with a few pixels, values that break the standard,
private blocks, VR UN.

The pixels only make the object complete; the header is what matters.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from random import Random
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.tag import BaseTag, Tag

from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.document import Patient, Study, System, coded_dataset, header, put, uid

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

Attributes = Mapping[str, object]
_UNDEFINED = 0xFFFFFFFF


def decimal(value: float | None) -> str | None:
    """Return a number as Decimal String (DS), with at most ten digits; None stays None."""
    return None if value is None else f"{value:.10g}"


def integer(value: float | None) -> str | None:
    """Return a number as Integer String (IS), rounded as most equipment does; None stays None."""
    return None if value is None else str(round(value))


def coded(concept: Concept, scheme: str = "SCT") -> Dataset:
    """Return an item of a code sequence. scheme "SRT", "SNM3" or "99SDM" writes the SNOMED RT code
    of a SNOMED CT concept.
    """
    if concept.scheme == "SCT" and scheme != "SCT":
        return coded_dataset(concept.srt, scheme, concept.meaning)
    return coded_dataset(concept.value, concept.scheme, concept.meaning)


def apply(ds: Dataset, attributes: Attributes) -> None:
    """Set attributes by keyword: None removes one, bytes are written as they are (even with an odd
    or short length). Raises ValueError if a keyword is unknown.
    """
    for keyword, value in attributes.items():
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise ValueError(f"{keyword} is not an attribute of the data dictionary")
        if value is None:
            ds._dict.pop(Tag(tag), None)
        elif isinstance(value, bytes):
            put_bytes(ds, Tag(tag), dictionary_VR(tag), value)
        else:
            put(ds, **{keyword: value})


def put_bytes(ds: Dataset, tag: BaseTag, vr: str, value: bytes) -> None:
    """Set an element to bytes that are written as they are, without padding."""
    ds._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)


def put_private(
    ds: Dataset,
    group: int,
    creator: str,
    elements: Mapping[int, tuple[str, object]],
    block: int = 0x10,
) -> None:
    """Put private elements ({last two digits: (VR, value)}) of `creator` into block `block` of a
    group (PS3.5 7.8).

    A value of bytes is written as it is under any VR; None is left out.
    """
    place = Tag(group, block)
    ds._dict[place] = DataElement(place, "LO", creator)
    for element, (vr, value) in elements.items():
        tag = Tag(group, block << 8 | element)
        if isinstance(value, bytes):
            put_bytes(ds, tag, vr, value)
        elif value is not None:
            ds._dict[tag] = DataElement(tag, vr, value, validation_mode=0)


def double(value: float) -> bytes:
    """Return the eight bytes of an FD, little endian."""
    return struct.pack("<d", value)


def padded(text: str) -> bytes:
    """Return text as the bytes of an element: Latin-1, padded with a space to an even length."""
    raw = text.encode("latin-1")
    return raw + b" " * (len(raw) & 1)


def make_unknown(
    ds: Dataset, which: Callable[[BaseTag], bool], *, explicit_items: bool = False
) -> None:
    """Change elements to VR UN, as written by an archive that received them in implicit VR and did
    not know them.

    A sequence becomes UN of undefined length with items in implicit VR (PS3.5 6.2.2 note 4).
    explicit_items: write the items in explicit VR, against the standard, as in real objects of
    Hologic.
    """
    for tag in [tag for tag in ds._dict if which(tag)]:
        element = ds._dict[tag]
        if isinstance(element, RawDataElement):
            put_bytes(ds, tag, "UN", element.value or b"")
        elif element.VR == "SQ":
            items = b"".join(_item(item, explicit_items) for item in element.value)
            ds._dict[tag] = RawDataElement(tag, "UN", _UNDEFINED, items, 0, False, True)
        else:
            put_bytes(ds, tag, "UN", _encoded(element, False)[8:])


def _encoded(element: DataElement | RawDataElement, explicit: bool) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, not explicit
    write_data_element(buffer, element, ["latin-1"])
    return buffer.getvalue()


def _item(item: Dataset, explicit: bool) -> bytes:
    content = b"".join(_encoded(item._dict[tag], explicit) for tag in sorted(item._dict))
    return b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + content + b"\xfe\xff\x0d\xe0\0\0\0\0"


def image(
    sop_class: str,
    modality: str,
    *,
    key: str,
    patient: Patient | None,
    study: Study,
    system: System,
    acquired: datetime,
    pixels: int = 4,
    image_type: Iterable[str] = ("ORIGINAL", "PRIMARY"),
    series: str = "",
    series_number: int = 1,
    number: int = 1,
    instance: str = "",
    description: str = "",
    bits: int = 12,
    photometric: str = "MONOCHROME2",
    frames: int = 0,
) -> Dataset:
    """Return an image of `pixels` by `pixels` with general attributes, times of acquisition and
    content, and pixel data.

    key: determines the UIDs, with `series` (one UID for each) and `instance` or `number`. study: an
    `instance_uid` of "" is filled from `key`. frames: number of frames of a multi-frame image, 0
    for a plain one."""
    if study.instance_uid == "":
        study.instance_uid = uid(key, "study")
    ds = header(
        patient or Patient(),
        study,
        system,
        sop_class,
        uid(key, series, instance or number),
        uid(key, "series", series),
        modality,
        series_number,
        description,
    )
    day, clock = (
        f"{acquired:%Y%m%d}",
        f"{acquired:%H%M%S}" + (f".{acquired:%f}" if acquired.microsecond else ""),
    )
    put(
        ds,
        ImageType=list(image_type),
        AcquisitionDate=day,
        AcquisitionTime=clock,
        SeriesTime=clock,
        ContentDate=day,
        ContentTime=clock,
        InstanceNumber=str(number),
        SamplesPerPixel=1,
        PhotometricInterpretation=photometric,
        NumberOfFrames=str(frames) if frames else None,
        Rows=pixels,
        Columns=pixels,
        BitsAllocated=16,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelRepresentation=0,
    )
    # Noise within the stored bits, drawn at once, since large images are used to measure the rate
    # of storing.
    raw = bytearray(
        Random(f"{key}|{series}|{instance}|{number}").randbytes(
            2 * pixels * pixels * max(frames, 1)
        )
    )
    mask = (1 << bits) - 1 >> 8
    raw[1::2] = bytes(raw[1::2]).translate(bytes(value & mask for value in range(256)))
    pixel_data = Tag("PixelData")
    ds._dict[pixel_data] = DataElement(pixel_data, "OW", bytes(raw))
    return ds


def nested(**attributes: Any) -> Dataset:
    """Return an item of a sequence, by keyword; a value of None is left out, bytes are written as
    they are.
    """
    ds = Dataset()
    apply(ds, {keyword: value for keyword, value in attributes.items() if value is not None})
    # Otherwise pydicom decodes raw elements when it writes the item, and gives private ones that it
    # knows another VR.
    ds.set_original_encoding(False, True, ds._character_set)
    return ds
