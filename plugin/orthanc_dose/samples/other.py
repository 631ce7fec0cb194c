"""Objects other than ordinary dose reports: reports in another SOP class or without template,
reports that hold no dose, CT images.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydicom.dataset import Dataset

from orthanc_dose.samples import codes as c
from orthanc_dose.samples import values as v
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.ct import ct_report
from orthanc_dose.samples.document import (
    Patient,
    Study,
    System,
    document,
    header,
    observer,
    put,
    scope,
    uid,
)
from orthanc_dose.samples.projection_reports import fluoroscopy_report
from orthanc_dose.samples.sr import MODIFIER, code, container, num, text
from orthanc_dose.samples.vendors import ENHANCED_SR, VENDORS

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_REPORT_OF_IMAGING = Concept("18748-4", "Diagnostic Imaging Report", "LN")
_FINDING = Concept("121071", "Finding")
_MEASUREMENT_REPORT = Concept("126000", "Imaging Measurement Report")


def enhanced_sr_dose_report(*, seed: int = 1, events: int = 4) -> Dataset:
    """Return a CT dose report in the Enhanced SR class (...88.22), as older GE scanners send it."""
    return ct_report(events, seed=seed, vendor="ge-esr", key=f"esr|{seed}")


def non_dose_sr(*, seed: int = 1) -> Dataset:
    """Return an Enhanced SR whose root is a diagnostic imaging report, which must be ignored."""
    key = f"non-dose|{seed}"
    root = container(
        _REPORT_OF_IMAGING,
        code(c.LANGUAGE, v.ENGLISH, relationship=MODIFIER),
        text(_FINDING, "Nothing to report in this made-up report."),
        template="2000",
    )
    return document(
        root,
        Patient(),
        Study(instance_uid=uid(key, "study"), description="Reading"),
        System(),
        key=key,
        series_description="Report",
        sop_class=ENHANCED_SR,
    )


def other_root_dose_sr(*, seed: int = 1) -> Dataset:
    """Return a dose SR object with a root code (126000, measurements) of no dose report."""
    key = f"other-root|{seed}"
    study = Study(instance_uid=uid(key, "study"), description="PET/CT")
    system = System()
    root = container(_MEASUREMENT_REPORT, *observer(system), scope(study), template="1500")
    return document(root, Patient(), study, system, key=key)


def report_without_template(*, seed: int = 1, events: int = 3) -> Dataset:
    """Return a fluoroscopy report without Content Template Sequence, as GE OEC writes it."""
    return fluoroscopy_report(events, seed=seed, vendor="ge-oec", key=f"no-template|{seed}")


def report_without_events(kind: str = "ct", *, seed: int = 1) -> Dataset:
    """Return a "ct" or "rf" report with accumulated data of 0 and no events."""
    make = ct_report if kind == "ct" else fluoroscopy_report
    return make(0, seed=seed, key=f"no-events|{kind}|{seed}")


def report_without_anything(*, seed: int = 1) -> Dataset:
    """Return a dose report whose root has only its procedure and one comment."""
    key = f"bare|{seed}"
    root = container(
        c.REPORT,
        code(c.PROCEDURE_REPORTED, v.CT_PROCEDURE, relationship=MODIFIER),
        text(c.COMMENT, "No data"),
        template="10011",
    )
    return document(root, Patient(), Study(instance_uid=uid(key, "study")), System(), key=key)


def report_with_unknown_items(*, seed: int = 1) -> Dataset:
    """Return a CT report with private numbers and texts (99SAMPLE) that no template knows."""
    private = Concept("S-001", "Sample private container", "99SAMPLE")
    extra = [
        container(
            private,
            text(Concept("S-002", "Sample private text", "99SAMPLE"), "kept"),
            num(Concept("S-003", "Sample private number", "99SAMPLE", unit="mm"), 12.5),
        )
    ]
    return ct_report(2, seed=seed, key=f"unknown|{seed}", extra=extra)


def ct_slice(
    number: int = 1,
    *,
    seed: int = 1,
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    series: str = "",
) -> Dataset:
    """Return a CT image of 16 by 16 pixels with a plausible header, about 2 kB, for measuring the
    rate of storing.
    """
    key = f"slice|{seed}"
    series = series or uid(key, "series")
    study = study or Study(
        instance_uid=uid(key, "study"), description="CT abdomen", protocol="Abdomen"
    )
    ds = header(
        patient or Patient(),
        study,
        system or System(vendor=VENDORS["ge-ct"]),
        CT_IMAGE,
        uid(series, number),
        series,
        "CT",
        2,
        "Axial 5 mm",
    )
    z = f"{-5.0 * number:g}"
    put(
        ds,
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        AcquisitionDate=ds.StudyDate,
        AcquisitionTime=ds.StudyTime,
        InstanceNumber=str(number),
        FrameOfReferenceUID=uid(series, "frame"),
        PositionReferenceIndicator="",
        KVP="120",
        SliceThickness="5",
        XRayTubeCurrent="210",
        ExposureTime="500",
        Exposure="105",
        CTDIvol=8.4,
        ImagePositionPatient=["0", "0", z],
        ImageOrientationPatient=["1", "0", "0", "0", "1", "0"],
        SliceLocation=z,
        AcquisitionNumber="1",
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        Rows=16,
        Columns=16,
        PixelSpacing=["10", "10"],
        BitsAllocated=16,
        BitsStored=16,
        HighBit=15,
        PixelRepresentation=0,
        RescaleIntercept="-1024",
        RescaleSlope="1",
    )
    put(ds, PixelData=Random(f"{key}|{number}").randbytes(512))
    ds["PixelData"].VR = "OW"
    return ds


def ct_series(n: int, *, seed: int = 1) -> Iterator[Dataset]:
    """Yield `n` CT images of one series."""
    for number in range(1, n + 1):
        yield ct_slice(number, seed=seed)
