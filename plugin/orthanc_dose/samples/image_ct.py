"""CT images of whole series, with what their headers say about dose: in standard attributes, or in
manufacturers' private ones.

The dose of an acquisition is not the sum over its images: each of them gives the CTDIvol, and one
acquisition may have several reconstructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydicom.dataset import Dataset

from orthanc_dose.samples import values as v
from orthanc_dose.samples.codes import Concept
from orthanc_dose.samples.document import Patient, Study, System, put, uid
from orthanc_dose.samples.image_parts import (
    apply,
    coded,
    decimal,
    double,
    image,
    integer,
    put_private,
)
from orthanc_dose.samples.other import CT_IMAGE
from orthanc_dose.samples.sr import Spelling
from orthanc_dose.samples.vendors import Vendor

SPIRAL, SEQUENCED, CONSTANT_ANGLE, STATIONARY = (
    "SPIRAL",
    "SEQUENCED",
    "CONSTANT_ANGLE",
    "STATIONARY",
)


@dataclass(frozen=True)
class CtImageSeries:
    """One series of images: mGy, mGy.cm, kV, mA, ms, mAs, mm. None is not written.

    number: of the series. acquisition: its number; series that share it are reconstructions of one
    acquisition, with one time and one Irradiation Event UID. ctdi, current: one value, or one for
    each image. dlp: of the acquisition (only Toshiba's private block has it). exposure_time: of one
    rotation. first: z of the first image; the images are `spacing` apart."""

    number: int = 2
    acquisition: int = 2
    slices: int = 10
    description: str = "Thorax 5.0"
    protocol: str | None = "Thorax routine"
    body_part: str | None = "CHEST"
    type: str | None = SPIRAL
    ctdi: float | Sequence[float] | None = 7.25
    dlp: float | None = 253.75
    phantom: Concept | None = v.BODY_PHANTOM
    kvp: float | None = 120
    current: float | Sequence[float] | None = 210
    exposure_time: float | None = 500
    exposure: float | None = 105
    pitch: float | None = 0.984
    single_collimation: float | None = 0.625
    total_collimation: float | None = 40.0
    first: float = 0.0
    spacing: float = -5.0
    thickness: float | None = 5.0
    kernel: str | None = "STANDARD"
    modulation: str | None = "XYZ_EC"
    localizer: bool = False

    def of(self, values: float | Sequence[float] | None, index: int) -> float | None:
        """Return the value for the image `index` (from 0), from a single value or one per image."""
        return values[index] if isinstance(values, Sequence) else values

    @property
    def mean_ctdi(self) -> float | None:
        """CTDIvol averaged over the images, in mGy."""
        if not isinstance(self.ctdi, Sequence):
            return self.ctdi
        return sum(self.of(self.ctdi, n) or 0 for n in range(self.slices)) / self.slices

    @property
    def length(self) -> float:
        """The length that the images cover in mm, from first to last, plus one thickness."""
        return abs(self.spacing) * (self.slices - 1) + (self.thickness or 0)


LOCALIZER = CtImageSeries(
    1,
    1,
    1,
    "Localizer",
    "Thorax routine",
    type=CONSTANT_ANGLE,
    ctdi=0.12,
    dlp=6.1,
    current=35,
    exposure_time=5100,
    exposure=178,
    pitch=None,
    total_collimation=3.6,
    single_collimation=0.6,
    thickness=None,
    kernel=None,
    modulation=None,
    localizer=True,
)
THORAX = CtImageSeries(ctdi=(6.1, 6.4, 6.9, 7.2, 7.6, 7.9, 7.8, 7.7, 7.5, 7.4), dlp=47.2)
THORAX_LUNG = replace(
    THORAX,
    number=3,
    description="Lung 1.25",
    kernel="LUNG",
    slices=37,
    spacing=-1.25,
    thickness=1.25,
    ctdi=7.25,
)
ABDOMEN = CtImageSeries(
    4,
    3,
    12,
    "Abdomen 5.0",
    "Abdomen",
    "ABDOMEN",
    ctdi=9.8,
    dlp=71.5,
    current=260,
    exposure=130,
    first=-60.0,
)
HEAD = CtImageSeries(
    5,
    4,
    8,
    "Head 4.0",
    "Head",
    "HEAD",
    SEQUENCED,
    52.4,
    167.7,
    v.HEAD_PHANTOM,
    current=300,
    exposure_time=1000,
    exposure=300,
    pitch=None,
    total_collimation=16.0,
    single_collimation=4.0,
    spacing=4.0,
    thickness=4.0,
    modulation="NONE",
    kernel="H31s",
)


def two_reconstructions() -> list[CtImageSeries]:
    """Return a localizer and one spiral of the thorax, reconstructed twice (two irradiations)."""
    return [LOCALIZER, THORAX, THORAX_LUNG]


@dataclass(frozen=True)
class CtSystem:
    """One kind of scanner: whether it gives CTDIvol, collimation and pitch, acquisition type and
    event UID in standard attributes.
    """

    vendor: Vendor
    dose: bool = True
    geometry: bool = True
    type: bool = True
    event_uid: bool = True
    omitted: tuple[str, ...] = field(default_factory=tuple)


def _vendor(key: str, manufacturer: str, model: str, software: str) -> Vendor:
    return Vendor(
        key,
        manufacturer,
        model,
        software,
        ("ct",),
        Spelling(scheme="SRT", character_set="ISO_IR 100"),
    )


CT_SYSTEMS: dict[str, CtSystem] = {
    "standard": CtSystem(_vendor("standard-ct", "Sample Devices", "Reference CT", "1.0")),
    "siemens": CtSystem(
        _vendor("siemens-ct-image", "SIEMENS", "SOMATOM Definition AS", "syngo CT 2012B"),
        type=False,
        omitted=("ExposureModulationType",),
    ),
    "ge": CtSystem(
        _vendor("ge-ct-image", "GE MEDICAL SYSTEMS", "Optima CT660", "gmp_vct.42"),
        event_uid=False,
        type=False,
    ),
    # Rotation, pitch, rows and their width in private elements only; no dose.
    "ge-old": CtSystem(
        _vendor("ge-ct-old", "GE MEDICAL SYSTEMS", "LightSpeed16", "LightSpeedApps308I.2_H3.1M5"),
        dose=False,
        geometry=False,
        event_uid=False,
        type=False,
    ),
    # Dose, collimation and pitch in private elements only.
    "toshiba": CtSystem(
        _vendor("toshiba-ct-image", "TOSHIBA", "Aquilion", "V4.51ER014"),
        dose=False,
        geometry=False,
        event_uid=False,
        type=False,
        omitted=("ExposureModulationType",),
    ),
}


def _toshiba(ds: Dataset, series: CtImageSeries, ctdi: float | None, block: int, raw: bool) -> None:
    """Write the block TOSHIBA_MEC_CT3, with doubles as FD or, if `raw`, as UN of eight bytes, as
    after a transfer in implicit VR.
    """

    def number(value: float | None) -> tuple[str, object]:
        return ("UN", None if value is None else double(value)) if raw else ("FD", value)

    rows = (
        round(series.total_collimation / series.single_collimation)
        if series.total_collimation and series.single_collimation
        else 0
    )
    bits = ("1" * rows).center(64, "0") if rows else None
    put_private(
        ds,
        0x7005,
        "TOSHIBA_MEC_CT3",
        {
            0x08: ("DS", decimal(series.single_collimation)),
            0x09: ("LO", bits),
            0x23: ("DS", decimal(series.pitch)),
            0x40: number(series.dlp),
            0x63: number(ctdi),
        },
        block,
    )


def _ge(ds: Dataset, series: CtImageSeries, block: int) -> None:
    """Write the blocks of GE: table speed in mm per rotation, rotation in ms (as DS), pitch as
    "ratio:1", rows and their width in mm.
    """
    moved = series.pitch and series.total_collimation and series.pitch * series.total_collimation
    put_private(
        ds,
        0x0019,
        "GEMS_ACQU_01",
        {0x23: ("DS", decimal(moved)), 0x27: ("DS", decimal(series.exposure_time))},
        block,
    )
    put_private(
        ds,
        0x0043,
        "GEMS_PARM_01",
        {0x27: ("SH", f"{series.pitch}:1" if series.pitch else None)},
        block,
    )
    if series.total_collimation and series.single_collimation:
        put_private(
            ds,
            0x0045,
            "GEMS_HELIOS_01",
            {
                0x01: ("SS", round(series.total_collimation / series.single_collimation)),
                0x02: ("FL", series.single_collimation),
            },
            block,
        )


def ct_images(
    kind: str = "standard",
    series: Sequence[CtImageSeries] = (LOCALIZER, THORAX),
    *,
    event_uid: bool | None = None,
    private_block: int = 0x10,
    private_raw: bool = False,
    seed: int = 1,
    key: str = "",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    started: datetime | None = None,
    pixels: int = 4,
    **attributes: Any,
) -> list[Dataset]:
    """Return the images of all `series` of one study as scanners of `kind` (a key of `CT_SYSTEMS`)
    write them.

    event_uid: whether to write an Irradiation Event UID; by default as scanners of the kind do.
    private_block: the block of the private elements: 0x10 gives (7005,10xx), 0x11 (7005,11xx).
    private_raw: write Toshiba's doubles as UN of eight bytes. started: time of the first
    acquisition; the next are one minute apart. attributes: by DICOM keyword; they override
    everything else."""
    made = CT_SYSTEMS[kind]
    key = key or f"ct-images|{kind}|{seed}"
    study = study or Study(description="CT thorax")
    started = started or study.started + timedelta(minutes=2)
    system = system or System(vendor=made.vendor, station=made.vendor.key.upper()[:16])
    return [
        _one(
            made,
            kind,
            one,
            index,
            key=key,
            patient=patient,
            study=study,
            system=system,
            pixels=pixels,
            acquired=started + timedelta(minutes=one.acquisition),
            block=private_block,
            raw=private_raw,
            event=made.event_uid if event_uid is None else event_uid,
            attributes=attributes,
        )
        for one in series
        for index in range(one.slices)
    ]


def _one(
    made: CtSystem,
    kind: str,
    series: CtImageSeries,
    index: int,
    *,
    key: str,
    patient: Patient | None,
    study: Study,
    system: System,
    pixels: int,
    acquired: datetime,
    block: int,
    raw: bool,
    event: bool,
    attributes: dict[str, object],
) -> Dataset:
    form = "LOCALIZER" if series.localizer else "AXIAL"
    ds = image(
        CT_IMAGE,
        "CT",
        key=key,
        patient=patient,
        study=study,
        system=system,
        acquired=acquired,
        pixels=pixels,
        image_type=("ORIGINAL", "PRIMARY", form),
        series=str(series.number),
        series_number=series.number,
        number=index + 1,
        description=series.description,
    )
    z, ctdi = decimal(series.first + index * series.spacing), series.of(series.ctdi, index)
    put(
        ds,
        ProtocolName=series.protocol,
        BodyPartExamined=series.body_part,
        KVP=decimal(series.kvp),
        XRayTubeCurrent=integer(series.of(series.current, index)),
        ExposureTime=integer(series.exposure_time),
        Exposure=integer(series.exposure),
        SliceThickness=decimal(series.thickness),
        ConvolutionKernel=series.kernel,
        ExposureModulationType=series.modulation,
        AcquisitionNumber=str(series.acquisition),
        FrameOfReferenceUID=uid(key, "frame"),
        ImagePositionPatient=["-250", "-250", z],
        SliceLocation=z,
        ImageOrientationPatient=["1", "0", "0", "0", "1", "0"],
        PixelSpacing=["1", "1"],
        RescaleIntercept="-1024",
        RescaleSlope="1",
    )
    if made.dose:
        phantom = [coded(series.phantom)] if series.phantom and ctdi is not None else None
        put(ds, CTDIvol=ctdi, CTDIPhantomTypeCodeSequence=phantom)
    if made.geometry:
        put(
            ds,
            SpiralPitchFactor=series.pitch,
            SingleCollimationWidth=series.single_collimation,
            TotalCollimationWidth=series.total_collimation,
            RevolutionTime=None
            if series.exposure_time is None or series.localizer
            else series.exposure_time / 1000,
        )
    if made.type:
        put(ds, AcquisitionType=series.type)
    if event:
        put(ds, IrradiationEventUID=uid(key, "event", series.acquisition))
    if kind == "toshiba":
        _toshiba(ds, series, ctdi, block, raw)
    elif kind.startswith("ge"):
        _ge(ds, series, block)
    apply(ds, dict.fromkeys(made.omitted))
    apply(ds, attributes)
    return ds
