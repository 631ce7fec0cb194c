"""Content trees that are too deep, too wide, empty or of another shape."""

from __future__ import annotations

import struct

from orthanc_dose.samples import codes as c
from orthanc_dose.samples.document import part10, set_content, uid
from orthanc_dose.samples.hostile.registry import Maker, content, entry, events_of, named, report
from orthanc_dose.samples.sr import (
    CONTAINS,
    Item,
    Spelling,
    container,
    element,
    encode,
    num,
    sequence,
    text,
    uidref,
    wrap,
)

_PLAIN = Spelling()


def _nested(levels: int) -> Maker:
    def make(seed: int) -> bytes:
        ds = report(f"nested_{levels}", seed)
        body = b""
        level = Item("CONTAINER", c.CT_ACQUISITION, None)
        for _ in range(levels):
            body = sequence(0x40, 0xA730, [wrap(level, body, _PLAIN)])
        set_content(ds, body)
        return part10(ds)

    return make


# Orthanc 1.10.1 itself takes 47 levels, the innermost concept name among them, and its process ends
# at 48 as soon as anyone requests the tags; more than 32 are refused (dicom/nesting.py).
named("nested_30", _nested(30))
named("nested_200", _nested(200), is_fatal=True)
named("nested_2000", _nested(2000), is_fatal=True)


@entry
def text_5_mb(seed: int) -> bytes:
    return content("text_5_mb", seed, text(c.COMMENT, "lorem ipsum " * (5_000_000 // 12)))


@entry
def children_50000(seed: int) -> bytes:
    one = encode(text(c.COMMENT, "child"), _PLAIN)
    return content("children_50000", seed, *[one] * 50_000)


@entry
def empty_content_sequence(seed: int) -> bytes:
    ds = report("empty_content_sequence", seed)
    ds.ContentSequence = []
    return part10(ds)


@entry
def no_content_sequence(seed: int) -> bytes:
    ds = report("no_content_sequence", seed)
    del ds.ContentSequence
    return part10(ds)


@entry
def empty_items(seed: int) -> bytes:
    """Write content items without any attribute, at the root and in a container."""
    return content(
        "empty_items", seed, b"", b"", Item("CONTAINER", c.CT_ACQUISITION, None, [b"", b""])
    )


@entry
def no_concept_names(seed: int) -> bytes:
    return content(
        "no_concept_names",
        seed,
        Item("NUM", None, (5.0, c.unit("mGy.cm"))),
        Item("TEXT", None, "a"),
        Item("CONTAINER", None, None, [Item("TEXT", None, "b")]),
    )


@entry
def empty_concept_names(seed: int) -> bytes:
    """Write concept name sequences with no item, and with an item without a code."""
    head = element(0x40, 0xA010, b"CS", b"CONTAINS") + element(0x40, 0xA040, b"CS", b"TEXT")
    value = element(0x40, 0xA160, b"UT", b"x")
    nothing = head + sequence(0x40, 0xA043, []) + value
    return content(
        "empty_concept_names",
        seed,
        nothing,
        head + sequence(0x40, 0xA043, [b""]) + value,
        head + sequence(0x40, 0xA043, [element(8, 0x104, b"LO", b"Only a meaning")]) + value,
    )


@entry
def no_root_concept(seed: int) -> bytes:
    ds = report("no_root_concept", seed)
    del ds.ConceptNameCodeSequence
    return part10(ds)


@entry
def unknown_value_types(seed: int) -> bytes:
    return content(
        "unknown_value_types",
        seed,
        Item("HOLOGRAM", c.COMMENT),
        Item("", c.COMMENT),
        Item("TEXT", c.COMMENT, "x", [], "IS FOND OF"),
        Item("TEXT", c.COMMENT, "x", [], ""),
    )


@entry
def value_of_another_type(seed: int) -> bytes:
    """Write numbers, codes and times in place of other value types, and the other way round."""
    return content(
        "value_of_another_type",
        seed,
        container(c.CT_ACCUMULATED, text(c.DLP_TOTAL, "350.5"), uidref(c.CT_EVENTS_TOTAL, "1.2.3")),
        container(
            c.CT_ACQUISITION,
            text(c.EVENT_UID, "no uid at all"),
            num(c.PROTOCOL, 5.0, ucum="1"),
            text(c.CT_TYPE, "spiral"),
            text(c.CT_PARAMETERS, "x"),
            num(c.CT_DOSE, 3.0, ucum="mGy"),
        ),
        text(c.CT_ACQUISITION, "an acquisition"),
        num(c.START, 20250314.0, ucum="1"),
    )


@entry
def reference_to_itself(seed: int) -> bytes:
    """Write a by-reference relationship to the item that holds it (Referenced Content Item
    Identifier 1\\1).
    """
    loop = element(0x40, 0xA010, b"CS", b"CONTAINS") + element(
        0x40, 0xDB73, b"UL", struct.pack("<II", 1, 1)
    )
    return content("reference_to_itself", seed, Item("CONTAINER", c.CT_ACQUISITION, None, [loop]))


@entry
def long_code_values(seed: int) -> bytes:
    """Write code values far beyond 16 characters in Code Value, scheme and meaning."""
    long = (
        element(8, 0x100, b"SH", b"1" * 400)
        + element(8, 0x102, b"SH", b"S" * 300)
        + element(8, 0x104, b"LO", b"m" * 4000)
    )
    item = (
        element(0x40, 0xA010, b"CS", CONTAINS.encode())
        + element(0x40, 0xA040, b"CS", b"CODE")
        + sequence(0x40, 0xA043, [long])
        + sequence(0x40, 0xA168, [long])
    )
    return content(
        "long_code_values",
        seed,
        item,
        Item("CODE", c.TARGET_REGION, c.Concept("1" * 64, "long", "SCT")),
    )


@entry
def repeated_scalars(seed: int) -> bytes:
    """Write single-valued rows several times with different values; two accumulated containers."""
    twice = [
        num(c.DLP_TOTAL, 100.0),
        num(c.DLP_TOTAL, 200.0),
        num(c.CT_EVENTS_TOTAL, 1),
        num(c.CT_EVENTS_TOTAL, 2),
    ]
    event = container(
        c.CT_ACQUISITION,
        uidref(c.EVENT_UID, uid("a", seed)),
        uidref(c.EVENT_UID, uid("b", seed)),
        text(c.PROTOCOL, "one"),
        text(c.PROTOCOL, "two"),
        container(c.CT_DOSE, num(c.DLP, 1.0), num(c.DLP, 2.0)),
        container(c.CT_DOSE, num(c.DLP, 3.0), num(c.CTDI_VOL, 4.0)),
    )
    return content(
        "repeated_scalars",
        seed,
        container(c.CT_ACCUMULATED, *twice),
        container(c.CT_ACCUMULATED, *twice[::-1]),
        event,
        event,
    )


@entry
def duplicate_event_uids(seed: int) -> bytes:
    events = events_of("duplicate_event_uids", seed, 4)
    for event in events:
        event.uid = events[0].uid
    return part10(report("duplicate_event_uids", seed, events=events))


@entry
def no_event_uids(seed: int) -> bytes:
    events = events_of("no_event_uids", seed)
    for event in events:
        event.uid = ""
    return part10(report("no_event_uids", seed, events=events))


@entry
def wrong_event_uids(seed: int) -> bytes:
    events = events_of("wrong_event_uids", seed, 4)
    for event, bad in zip(events, ("not a uid", "1.2.3" * 40, "1..2.03", " "), strict=True):
        event.uid = bad
    return part10(report("wrong_event_uids", seed, events=events))
