"""Builds a whole DICOM object from content items: patient, study and equipment in the header, file
meta information, Part 10 bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any

from pydicom import dcmwrite
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from orthanc_dose.samples import codes as c
from orthanc_dose.samples import values as v
from orthanc_dose.samples.sr import (
    CONTEXT,
    PROPERTIES,
    Item,
    code,
    datetime_item,
    encode_children,
    pname,
    text,
    uidref,
)
from orthanc_dose.samples.vendors import VENDORS, Vendor

_CONTENT_SEQUENCE = Tag(0x0040A730)


def uid(*parts: object) -> str:
    """Return a UID below 2.25 that depends only on `parts`: the same parts give the same UID with
    every Python.
    """
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


IMPLEMENTATION_UID = uid("orthanc-dose", "samples")


@dataclass
class Patient:
    """A fictitious patient; size in m, weight in kg; None or "" is written as an empty
    attribute."""

    name: str = "Sample^Anna"
    patient_id: str = "SAMPLE-000001"
    birth_date: str = "19700101"
    sex: str = "F"
    age: str = "055Y"
    size: float | str | None = 1.68
    weight: float | str | None = 71.0


@dataclass
class Study:
    """One study: when it began and how it was described. An `instance_uid` of None leaves the
    attribute out.
    """

    instance_uid: str | None = ""
    started: datetime = datetime(2025, 3, 14, 9, 26, 53)
    description: str = "Sample study"
    accession_number: str = "ACC000001"
    study_id: str = "1"
    requested_procedure: str = ""
    procedure_code: tuple[str, str, str] | None = None
    referring: str = "Referrer^Sample"
    performing: str = "Performer^Sample"
    operators: str = "Operator^Sample"
    protocol: str = ""


@dataclass
class System:
    """One installed system of a manufacturer."""

    vendor: Vendor = field(default_factory=lambda: VENDORS["standard"])
    institution: str = "Sample General Hospital"
    department: str = "Radiology"
    station: str = "SAMPLE1"
    serial: str = "S-0001"
    location: str = "Room 1"

    @property
    def device_uid(self) -> str:
        return uid("device", self.vendor.key, self.serial)


def moment(when: datetime, vendor: Vendor) -> str:
    """Return a DICOM DT as `vendor` writes it."""
    fraction = f".{when.microsecond:06d}"[: vendor.fraction + 1] if vendor.fraction else ""
    return f"{when:%Y%m%d%H%M%S}{fraction}{vendor.offset}"


def observer(system: System, person: str = "") -> list[Item]:
    """Return the observer context (TID 1002) with TID 1004 (device observer), and TID 1003 if a
    `person` is given."""
    vendor = system.vendor
    rows = [
        code(c.OBSERVER_TYPE, v.OBSERVER_DEVICE),
        uidref(c.OBSERVER_UID, system.device_uid),
        text(c.OBSERVER_NAME, system.station),
        text(c.OBSERVER_MANUFACTURER, vendor.manufacturer),
        text(c.OBSERVER_MODEL, vendor.model),
        text(c.OBSERVER_SERIAL, system.serial),
        text(c.OBSERVER_LOCATION, system.location),
        code(c.DEVICE_ROLE, v.IRRADIATING_DEVICE),
    ]
    if person:
        rows += [
            code(c.OBSERVER_TYPE, v.OBSERVER_PERSON),
            pname(c.PERSON_OBSERVER_NAME, person),
            text(c.PERSON_OBSERVER_ORGANIZATION, system.institution),
            code(c.PERSON_OBSERVER_ROLE_ORG, v.TECHNOLOGIST),
            code(c.PERSON_OBSERVER_ROLE, v.ADMINISTERING),
        ]
    for row in rows:
        row.relationship = CONTEXT
    return rows


def person(name: str, role: c.Concept, system: System, staff: c.Concept = v.PHYSICIAN) -> Item:
    """Return a person and their role in the procedure (TID 1020 rows 1 to 7)."""
    return pname(
        c.PERSON_NAME,
        name,
        code(c.ROLE_IN_PROCEDURE, role, relationship=PROPERTIES),
        text(c.PERSON_ID, "STAFF-" + name[:3].upper(), relationship=PROPERTIES),
        text(c.PERSON_ID_ISSUER, system.institution, relationship=PROPERTIES),
        text(c.ORGANIZATION, system.institution, relationship=PROPERTIES),
        code(c.ROLE_IN_ORGANIZATION, staff, relationship=PROPERTIES),
    )


def device(system: System) -> Item:
    """Return the irradiating device (TID 1021)."""
    vendor = system.vendor
    return code(
        c.DEVICE_ROLE,
        v.IRRADIATING_DEVICE,
        text(c.DEVICE_NAME, system.station, relationship=PROPERTIES),
        text(c.DEVICE_MANUFACTURER, vendor.manufacturer, relationship=PROPERTIES),
        text(c.DEVICE_MODEL, vendor.model, relationship=PROPERTIES),
        text(c.DEVICE_SERIAL, system.serial, relationship=PROPERTIES),
        uidref(c.OBSERVER_UID, system.device_uid, relationship=PROPERTIES),
    )


def scope(study: Study, concept: c.Concept = v.SCOPE_STUDY) -> Item:
    """Return the scope of accumulation of the report, with its UID (TID 10001 rows 6 and 7)."""
    what = c.STEP_UID if concept == v.SCOPE_STEP else c.STUDY_UID
    return code(
        c.SCOPE,
        concept,
        uidref(what, study.instance_uid or uid("none"), PROPERTIES),
        relationship=CONTEXT,
    )


def times(started: datetime, ended: datetime, vendor: Vendor) -> list[Item]:
    """Return start and end of irradiation (TID 10011 rows 5 and 6)."""
    return [
        datetime_item(c.START, moment(started, vendor), CONTEXT),
        datetime_item(c.END, moment(ended, vendor), CONTEXT),
    ]


_TAGS: dict[str, tuple[BaseTag, str]] = {}


def put(ds: Dataset, **attributes: Any) -> None:
    """Set attributes by keyword, without checks: generators also need values that the standard
    forbids. Attributes with the value None are left out.
    """
    for keyword, value in attributes.items():
        if value is None:
            continue
        if keyword not in _TAGS:
            _TAGS[keyword] = Tag(keyword), dictionary_VR(keyword)
        tag, vr = _TAGS[keyword]
        ds._dict[tag] = DataElement(tag, vr, value, validation_mode=0)


def put_raw(ds: Dataset, keyword: str, value: bytes) -> None:
    """Set an attribute to bytes that are written as they are, for values that pydicom would refuse
    to create.
    """
    tag = Tag(keyword)
    value += b" " * (len(value) & 1)
    ds._dict[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)


def coded_dataset(value: str, scheme: str, meaning: str) -> Dataset:
    """Return one item of a code sequence in the header."""
    ds = Dataset()
    put(ds, CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)
    return ds


def header(
    patient: Patient,
    study: Study,
    system: System,
    sop_class: str,
    sop_uid: str,
    series_uid: str,
    modality: str,
    series_number: int,
    description: str,
) -> Dataset:
    """Return patient, general study, series and equipment attributes, with file meta information,
    for any object of a study.
    """
    vendor, day, clock = (
        system.vendor,
        study.started.strftime("%Y%m%d"),
        study.started.strftime("%H%M%S"),
    )
    charset = vendor.character_set.split("\\") if vendor.character_set else None
    ds = Dataset()
    if charset:
        ds.SpecificCharacterSet = charset if len(charset) > 1 else charset[0]
    put(
        ds,
        SOPClassUID=sop_class,
        SOPInstanceUID=sop_uid,
        StudyDate=day,
        SeriesDate=day,
        ContentDate=day,
        StudyTime=clock,
        SeriesTime=clock,
        ContentTime=clock,
        AccessionNumber=study.accession_number,
        Modality=modality,
        Manufacturer=vendor.manufacturer,
        InstitutionName=system.institution,
        ReferringPhysicianName=study.referring,
        TimezoneOffsetFromUTC=vendor.timezone or None,
        StationName=system.station,
        StudyDescription=study.description,
        SeriesDescription=description,
        InstitutionalDepartmentName=system.department,
        PerformingPhysicianName=study.performing,
        OperatorsName=study.operators,
        ManufacturerModelName=vendor.model,
        PatientName=patient.name,
        PatientID=patient.patient_id,
        PatientBirthDate=patient.birth_date,
        PatientSex=patient.sex,
        PatientAge=patient.age,
        PatientSize=_decimal(patient.size),
        PatientWeight=_decimal(patient.weight),
        DeviceSerialNumber=system.serial,
        SoftwareVersions=vendor.software,
        ProtocolName=study.protocol or None,
        StudyInstanceUID=study.instance_uid,
        SeriesInstanceUID=series_uid,
        StudyID=study.study_id,
        SeriesNumber=str(series_number),
        InstanceNumber="1",
        RequestedProcedureDescription=study.requested_procedure or None,
    )
    if study.procedure_code:
        put(ds, ProcedureCodeSequence=[coded_dataset(*study.procedure_code)])
    ds.file_meta = file_meta(sop_class, sop_uid)
    # Tells pydicom that encoded content is in this encoding, so that it copies it as long as nobody
    # changes that.
    ds.set_original_encoding(False, True, ds._character_set)
    return ds


def _decimal(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.10g}"


def file_meta(sop_class: str, sop_uid: str) -> FileMetaDataset:
    """Return file meta information that does not depend on the version of pydicom."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), UID(sop_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = "ORTHANC_DOSE"
    return meta


def document(
    root: Item,
    patient: Patient,
    study: Study,
    system: System,
    *,
    key: str,
    series_description: str = "Dose Report",
    sop_class: str = "",
) -> Dataset:
    """Return a structured report with `root` as its content tree; `key` determines its UIDs.
    `root.template` is its TID.
    """
    vendor = system.vendor
    sop_class = sop_class or vendor.sop_class
    ds = header(
        patient,
        study,
        system,
        sop_class,
        uid(key, "instance"),
        uid(key, "series"),
        "SR",
        501,
        series_description,
    )
    put(
        ds,
        ReferencedPerformedProcedureStepSequence=[],
        ValueType="CONTAINER",
        ConceptNameCodeSequence=[_root_code(root)] if root.concept else None,
        ContinuityOfContent="SEPARATE",
        PerformedProcedureCodeSequence=[],
        CompletionFlag="COMPLETE",
        VerificationFlag="UNVERIFIED",
    )
    if root.template and vendor.template:
        template = Dataset()
        put(template, MappingResource="DCMR", TemplateIdentifier=root.template)
        put(ds, ContentTemplateSequence=[template])
    set_content(ds, encode_children(root, vendor.spelling))
    return ds


def _root_code(root: Item) -> Dataset:
    assert root.concept is not None
    return coded_dataset(root.concept.value, root.concept.scheme, root.concept.meaning)


def set_content(ds: Dataset, encoded: bytes) -> None:
    """Put an encoded Content Sequence (`sr.encode_children`) into `ds`, decoded on access."""
    if encoded:
        ds._dict[_CONTENT_SEQUENCE] = RawDataElement(
            _CONTENT_SEQUENCE, "SQ", len(encoded) - 12, encoded[12:], 0, False, True
        )


def part10(ds: Dataset, *, implicit: bool = False) -> bytes:
    """Return the bytes of the Part 10 file of `ds`, in Explicit or Implicit VR Little Endian."""
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, ds, implicit_vr=implicit, little_endian=True, enforce_file_format=True)
    return buffer.getvalue()


def amount(value: float | str | None) -> float:
    """Return a number from which others are computed, 0 if there is none; texts are not numbers."""
    assert not isinstance(value, str)
    return value or 0


def age_string(birth: date, on: date) -> str:
    """Return the Patient Age (AS) on the day `on` of someone born on `birth`: in years, or in
    months below two years.
    """
    months = (on.year - birth.year) * 12 + on.month - birth.month - (on.day < birth.day)
    return f"{months // 12:03d}Y" if months >= 24 else f"{max(months, 0):03d}M"
