"""Numbers that are not numbers, in units that are not units."""

from __future__ import annotations

import struct
from typing import Any

from orthanc_dose.samples import codes as c
from orthanc_dose.samples.document import part10, uid
from orthanc_dose.samples.hostile.registry import Maker, content, entry, events_of, named, report
from orthanc_dose.samples.sr import (
    Item,
    Spelling,
    code_item,
    element,
    sequence,
    uidref,
    wrap,
)
from orthanc_dose.samples.vendors import vendor

_PLAIN = Spelling()


def _numbers(name: str, value: Any) -> Maker:
    def make(seed: int) -> bytes:
        events = events_of(name, seed)
        for event in events:
            event.ctdi, event.dlp, event.exposure_time, event.pitch = value, value, value, value
        return part10(report(name, seed, events=events, total=value))

    return make


for _name, _value in {
    "number_text": "not available",
    "number_with_unit": "12.5 mGy",
    "number_comma": "12,5",
    "number_nan": "NaN",
    "number_inf": "inf",
    "number_minus_inf": "-Infinity",
    "number_1e400": "1e400",
    "number_1e_minus_400": "1e-400",
    "number_1e308": "1e308",
    "number_hex": "0x1F",
    "number_underscore": "1_000",
    "number_empty": "",
    "number_spaces": "      ",
    "number_minus": "-12.5",
    "number_plus": "+12.5",
    "number_dots": "1.2.3",
    "number_long": "3." + "1" * 300,
    "number_slash": "1.2/3.4/5.6",
    "number_backslash": "1.2\\3.4\\5.6",
    "number_lone_backslash": "\\",
    "number_nul": "12\x005",
    "number_question": "?",
}.items():
    named(_name, _numbers(_name, _value))


@entry
def number_null_everywhere(seed: int) -> bytes:
    """Write every number with an empty Measured Value Sequence."""
    empty = frozenset(x.value for x in vars(c).values() if isinstance(x, c.Concept) and x.unit)
    return part10(report("number_null_everywhere", seed, vendor=vendor("standard", empty=empty)))


@entry
def number_fullwidth_digits(seed: int) -> bytes:
    """Write digits of another script, as UTF-8 bytes, in a Decimal String: Python's int() and
    float() accept them.
    """
    whole = _numbers("number_fullwidth_digits", "@@@@@@@@@")(seed)
    return whole.replace(b"@@@@@@@@@", "１２３".encode())


def _measured(*parts: bytes, concept: c.Concept = c.DLP_TOTAL) -> bytes:
    """Return an encoded NUM whose Measured Value Sequence has `parts` as its items."""
    item = Item("TEXT", concept, "")
    head = wrap(item, b"", _PLAIN).replace(
        element(0x40, 0xA040, b"CS", b"TEXT"), element(0x40, 0xA040, b"CS", b"NUM")
    )
    return head.replace(element(0x40, 0xA160, b"UT", b""), b"") + sequence(0x40, 0xA300, parts)


def _unit(value: str, scheme: str = "UCUM") -> bytes:
    return sequence(
        0x40,
        0x08EA,
        [code_item(c.Concept(value, value or "none", scheme), "SCT", "", "ISO_IR 192")],
    )


_DS = element(0x40, 0xA30A, b"DS", b"12.5")
for _name, _parts in {
    "unit_missing": (_DS,),
    "unit_empty_sequence": (sequence(0x40, 0x08EA, []) + _DS,),
    "unit_empty_code": (_unit("") + _DS,),
    "unit_unknown": (_unit("furlong") + _DS,),
    "unit_other_scheme": (_unit("mGy.cm", "99UNITS") + _DS,),
    "unit_of_another_quantity": (_unit("kV") + _DS,),
    "unit_twice": (sequence(0x40, 0x08EA, [_unit("mGy.cm")[20:], _unit("Gy.cm")[20:]]) + _DS,),
    "measured_without_number": (_unit("mGy.cm"),),
    "measured_twice": (_unit("mGy.cm") + _DS, _unit("Gy.cm") + _DS),
    "measured_empty_item": (b"",),
    "measured_wrong_vr": (_unit("mGy.cm") + element(0x40, 0xA30A, b"LO", b"12.5"),),
    "measured_binary_vr": (
        _unit("mGy.cm") + element(0x40, 0xA30A, b"FD", struct.pack("<d", 12.5)),
    ),
    "measured_unknown_vr": (_unit("mGy.cm") + element(0x40, 0xA30A, b"UN", b"12.5"),),
}.items():

    def _make(seed: int, name: str = _name, parts: tuple[bytes, ...] = _parts) -> bytes:
        return content(
            name,
            seed,
            Item("CONTAINER", c.CT_ACCUMULATED, None, [_measured(*parts)]),
            Item(
                "CONTAINER",
                c.CT_ACQUISITION,
                None,
                [
                    uidref(c.EVENT_UID, uid(name, seed)),
                    Item("CONTAINER", c.CT_DOSE, None, [_measured(*parts, concept=c.DLP)]),
                ],
            ),
        )

    named(_name, _make)
