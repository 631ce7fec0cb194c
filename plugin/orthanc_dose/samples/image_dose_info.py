"""The "Dose Info" secondary captures of Philips scanners: doses in a sequence of the header, partly
in private elements.

Exposure Dose Sequence (0040,030E) has one item for each acquisition; ELSCINT1 blocks hold what has
no attribute in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from pydicom.dataset import Dataset

from orthanc_dose.samples.document import Patient, Study, System, put
from orthanc_dose.samples.image_ct import CONSTANT_ANGLE, SPIRAL
from orthanc_dose.samples.image_parts import (
    SECONDARY_CAPTURE,
    apply,
    decimal,
    image,
    integer,
    nested,
    padded,
    put_private,
)
from orthanc_dose.samples.sr import Spelling
from orthanc_dose.samples.vendors import Vendor

_CREATOR = "ELSCINT1"


@dataclass(frozen=True)
class DoseInfoRow:
    """One acquisition: kV, mA, ms, mm, mGy, mGy.cm, s, mm/s; None is not written.

    comment_ctdi: CTDIvol in Comments On Radiation Dose, if it differs from `ctdi`. phantom: "16 CM"
    or "32 CM"."""

    series_number: int = 3
    description: str = "THORAX"
    type: str | None = SPIRAL
    kvp: float | None = 120
    current: float | None = 165.25
    exposure_time: float | None = 6986
    scan_length: float | None = 231
    single_collimation: float | None = 1.5
    total_collimation: float | None = 24
    pitch: float | None = 0.8355
    ctdi: float | None = 7.2125
    dlp: float | None = 196.05
    phantom: str | None = "32 CM"
    rotation_time: float | None = 0.75
    table_speed: float | None = 26.7
    location: float | None = 268.5
    saving: float | None = 14.5
    started: datetime | None = None
    comment_ctdi: float | None = None


SURVIEW = DoseInfoRow(
    1, "", CONSTANT_ANGLE, 120, 50, None, 700, 0.75, 3, None, 0, 0, None, None, None, 0, 0
)
PORTAL = DoseInfoRow(
    5,
    "PORTAL VENOUS",
    current=202.5,
    exposure_time=7218,
    scan_length=173,
    pitch=0.9605,
    ctdi=11.325,
    dlp=248.625,
    location=29.5,
    saving=7.5,
    comment_ctdi=11.5,
)
HEAD_ROW = DoseInfoRow(
    7,
    "HEAD",
    "SEQUENCED",
    current=300,
    exposure_time=12000,
    scan_length=144,
    pitch=None,
    ctdi=48.4,
    dlp=696.96,
    phantom="16 CM",
    location=12.0,
    table_speed=None,
    rotation_time=1.0,
)

PHILIPS: dict[str, Vendor] = {
    "brilliance-16p": Vendor(
        "philips-16p",
        "Philips",
        "Brilliance 16P",
        "2.3.0",
        ("ct",),
        Spelling(character_set="ISO_IR 100"),
    ),
    "ict": Vendor(
        "philips-ict", "Philips", "iCT 256", "4.1.6", ("ct",), Spelling(character_set="ISO_IR 100")
    ),
}


def comment_text(rows: Sequence[DoseInfoRow]) -> str:
    """Return Comments On Radiation Dose (0040,0310) as these scanners write it: one line per scan,
    then the total.

    Scout scans (no DLP) have no line. Values are rounded to one decimal.
    """
    lines = [
        f"Series #{row.series_number} {row.description} Average CTDIvol="
        f"{row.ctdi if row.comment_ctdi is None else row.comment_ctdi:.1f} DLP={row.dlp:.1f}"
        for row in rows
        if row.dlp
    ]
    return "\r\n".join([*lines, f"Total DLP={sum(row.dlp or 0 for row in rows):.1f}"])


def _text(value: float | None) -> tuple[str, object]:
    written = decimal(value)
    return "UN", None if written is None else padded(written)


def _row(row: DoseInfoRow, times: str, block: int, private: bool, extended: bool) -> Dataset:
    when = {
        "given": f"{row.started:%Y%m%d%H%M%S}" if row.started else "",
        "empty": "",
        "missing": None,
    }[times]
    item = nested(
        AcquisitionDateTime=when,
        SeriesDescription=row.description,
        KVP=decimal(row.kvp),
        ExposureTime=integer(row.exposure_time),
        RadiationMode="CONTINUOUS",
        FilterType="WEDGE_PREPATIENT",
        ScanLength=integer(row.scan_length),
        FilterMaterial=["TEFLON", "TITANIUM 1_2MM"],
        XRayTubeCurrentInuA=None if row.current is None else decimal(row.current * 1000),
        AcquisitionType=row.type,
        SingleCollimationWidth=row.single_collimation,
        TotalCollimationWidth=row.total_collimation,
        SpiralPitchFactor=row.pitch,
        EstimatedDoseSaving=row.saving,
        CTDIvol=row.ctdi,
        SeriesNumber=str(row.series_number),
        SliceLocation=decimal(row.location),
    )
    if private:
        put_private(item, 0x00E1, _CREATOR, {0x21: _text(row.dlp)}, block)
    if extended:
        put_private(
            item, 0x00E1, _CREATOR, {0x50: _text((row.exposure_time or 0) / 1000 or None)}, block
        )
        put_private(
            item,
            0x01E1,
            _CREATOR,
            {0x26: ("UN", padded(row.phantom) if row.phantom else None)},
            block,
        )
        put_private(
            item,
            0x01F1,
            _CREATOR,
            {
                0x01: (
                    "UN",
                    padded(
                        {SPIRAL: "HELIX", CONSTANT_ANGLE: "SURVIEW"}.get(row.type or "", "AXIAL")
                    ),
                ),
                0x07: _text(row.table_speed),
                0x26: _text(row.pitch),
                0x27: _text(row.rotation_time),
            },
            block,
        )
    return item


def philips_dose_info(
    rows: Sequence[DoseInfoRow] = (SURVIEW, DoseInfoRow(), PORTAL),
    *,
    kind: str = "brilliance-16p",
    series_description: str = "Dose Info",
    image_type: str = "DOSE_INFO",
    times: str = "empty",
    block: int = 0x10,
    private: bool = True,
    extended: bool | None = None,
    sequence: bool = True,
    comment: str | None = "made",
    total: float | Literal["sum"] | None = "sum",
    protocol: str = "Abdomen",
    seed: int = 1,
    key: str = "",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    pixels: int = 4,
    **attributes: Any,
) -> Dataset:
    """Return a dose screen of a Philips scanner (`kind`, a key of `PHILIPS`).

    times: Acquisition DateTime of the rows is "given" (their `started`, or else two minutes apart),
    "empty" or "missing". block: of the private elements; a block other than 0x10 leaves that one to
    another creator. private: write the DLP of each row and the total in ELSCINT1 (00E1,xx21), as
    bytes of text under VR UN. extended: write in each row also phantom, type, table speed, pitch
    and rotation (01E1 and 01F1); the default for "ict". sequence: write the Exposure Dose Sequence.
    comment: "made", or a text, or None for no Comments On Radiation Dose. total: DLP total in
    mGy.cm, "sum", or None for none. image_type: the third value, "DOSE_INFO" or "DOSE-INFO".
    attributes: by DICOM keyword; they override everything else."""
    vendor = PHILIPS[kind]
    key = key or f"dose-info|{kind}|{seed}"
    study = study or Study(description="CT thorax and abdomen")
    acquired = study.started + timedelta(minutes=20)
    system = system or System(vendor=vendor, station="PHILIPS-SAMPLE")
    ds = image(
        SECONDARY_CAPTURE,
        "CT",
        key=key,
        patient=patient,
        study=study,
        system=system,
        acquired=acquired,
        pixels=pixels,
        image_type=("DERIVED", "SECONDARY", image_type),
        series_number=80160,
        description=series_description,
    )
    put(
        ds,
        ConversionType="WSD",
        BodyPartExamined="ABDOMEN",
        KVP="120",
        ProtocolName=protocol,
        ExposureTime="7000",
        XRayTubeCurrent="50",
        AcquisitionNumber="",
        ImageComments=series_description,
        BurnedInAnnotation="YES",
        TotalNumberOfExposures=len(rows),
    )
    if sequence:
        extended = kind == "ict" if extended is None else extended
        placed = [
            row if row.started else replace(row, started=study.started + timedelta(minutes=2 * n))
            for n, row in enumerate(rows, 1)
        ]
        items = [_row(row, times, block, private, extended) for row in placed]
        for item in items if block != 0x10 and private else ():
            _occupy(item, 0x00E1)
        put(ds, ExposureDoseSequence=items)
    if comment is not None:
        put(ds, CommentsOnRadiationDose=comment_text(rows) if comment == "made" else comment)
    if private:
        whole = round(sum(row.dlp or 0 for row in rows), 6) if total == "sum" else total
        put_private(
            ds,
            0x00E1,
            _CREATOR,
            {
                0x01: ("UN", b"\1\0"),
                0x21: _text(whole),
                0x61: ("UN", padded(f"{protocol}_usr.proc")),
            },
            block,
        )
        put_private(ds, 0x01F1, _CREATOR, {0x01: ("UN", b"SLICES"), 0x4B: ("UN", b"4x0.75")}, block)
        if block != 0x10:
            _occupy(ds, 0x00E1)
    apply(ds, attributes)
    return ds


def _occupy(ds: Dataset, group: int) -> None:
    """Put another creator into the first block, with an element where the DLP would be if the block
    had not moved.
    """
    put_private(ds, group, "SAMPLE OTHER", {0x21: ("UN", b"9999.9")}, 0x10)
