"""Multi-frame CT images with functional groups, and volumes of cone-beam CT with a dose area product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydicom.dataset import Dataset

from orthanc_dose.samples import values as v
from orthanc_dose.samples.document import Study, System, put, uid
from orthanc_dose.samples.image_ct import SPIRAL
from orthanc_dose.samples.image_parts import apply, coded, decimal, image, nested
from orthanc_dose.samples.other import CT_IMAGE

ENHANCED_CT, LEGACY_CT = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"
ANGIOGRAPHIC, CRANIOFACIAL = "1.2.840.10008.5.1.4.1.1.13.1.1", "1.2.840.10008.5.1.4.1.1.13.1.2"


@dataclass(frozen=True)
class CtFrame:
    """A frame: mGy, mA, kV, mm, the start of its acquisition, its irradiation event and acquisition
    number. None is not written.

    second_tube: kV and mA of the second X-ray source."""

    ctdi: float | None = 14.7
    current: float | None = 420
    kvp: float | None = 120
    z: float = 1661
    started: datetime | None = None
    event_uid: str | None = None
    acquisition: int | None = None
    second_tube: tuple[float, float] | None = None


def enhanced_ct_image(
    frames: Sequence[CtFrame] = (CtFrame(13.7), CtFrame(14.7, z=1662), CtFrame(15.7, z=1663)),
    *,
    event_uid: str | None = "",
    type: str = SPIRAL,
    legacy: bool = False,
    shared: bool = False,
    key: str = "enhanced-ct",
    study: Study | None = None,
    series: int = 2,
    **attributes: Any,
) -> Dataset:
    """Return an Enhanced CT image.

    event_uid: the irradiation event of all frames; "" makes one, None writes none. legacy: a Legacy
    Converted Enhanced CT image, with the attributes of the images that it was made from in the
    sequences for unassigned attributes. shared: what describes the dose is said once, for all
    frames, as the first frame has it. attributes: by DICOM keyword; they override everything else.
    """
    study = study or Study(description="CT heart")
    ds = image(
        LEGACY_CT if legacy else ENHANCED_CT,
        "CT",
        key=key,
        patient=None,
        study=study,
        system=System(),
        acquired=study.started + timedelta(minutes=4),
        image_type=("ORIGINAL", "PRIMARY", "VOLUME", "NONE"),
        series=str(series),
        series_number=series,
        description="Cardiac",
        frames=len(frames),
    )
    event = uid(key, "event") if event_uid == "" else event_uid
    groups = _legacy_groups if legacy else _groups
    common = nested(**_common(type, event))
    if shared:
        for keyword, value in groups(frames[0]).items():
            put(common, **{keyword: value})
    put(
        ds,
        ProtocolName="Cardiac",
        FrameOfReferenceUID=uid(key, "frame"),
        SharedFunctionalGroupsSequence=[common],
        PerFrameFunctionalGroupsSequence=[
            nested(**_place(one), **({} if shared else groups(one))) for one in frames
        ],
    )
    apply(ds, attributes)
    return ds


def _common(type_of_acquisition: str, event: str | None) -> dict[str, Any]:
    return {
        "CTAcquisitionTypeSequence": [nested(AcquisitionType=type_of_acquisition)],
        "CTTableDynamicsSequence": [nested(SpiralPitchFactor=0.984)],
        "CTAcquisitionDetailsSequence": [
            nested(RevolutionTime=0.35, SingleCollimationWidth=0.5, TotalCollimationWidth=160.0)
        ],
        "PixelMeasuresSequence": [nested(SliceThickness="0.5")],
        "FrameAnatomySequence": [nested(AnatomicRegionSequence=[coded(v.CHEST)])],
        "IrradiationEventIdentificationSequence": [nested(IrradiationEventUID=event)]
        if event
        else None,
    }


def _place(frame: CtFrame) -> dict[str, Any]:
    content = nested(
        FrameAcquisitionNumber=frame.acquisition,
        FrameAcquisitionDateTime=f"{frame.started:%Y%m%d%H%M%S}" if frame.started else None,
    )
    event = nested(IrradiationEventUID=frame.event_uid)
    return {
        "FrameContentSequence": [content],
        "PlanePositionSequence": [
            nested(ImagePositionPatient=["-45", "-85", decimal(frame.z)]),
        ],
        "IrradiationEventIdentificationSequence": [event] if frame.event_uid else None,
    }


def _groups(frame: CtFrame) -> dict[str, Any]:
    tube = frame.second_tube
    return {
        "CTExposureSequence": [
            nested(
                CTDIvol=frame.ctdi,
                CTDIPhantomTypeCodeSequence=[coded(v.BODY_PHANTOM)],
                XRayTubeCurrentInmA=frame.current,
                ExposureTimeInms=221.4,
                ExposureInmAs=93.0,
                ExposureModulationType="ECG",
            )
        ],
        "CTXRayDetailsSequence": [nested(KVP=decimal(frame.kvp))],
        "CTAdditionalXRaySourceSequence": [
            nested(KVP=decimal(tube[0]), XRayTubeCurrentInmA=tube[1])
        ]
        if tube
        else None,
    }


def _legacy_groups(frame: CtFrame) -> dict[str, Any]:
    values = nested(
        CTDIvol=frame.ctdi,
        CTDIPhantomTypeCodeSequence=[coded(v.BODY_PHANTOM)],
        XRayTubeCurrent=decimal(frame.current),
        KVP=decimal(frame.kvp),
    )
    return {"UnassignedPerFrameConvertedAttributesSequence": [values]}


@dataclass(frozen=True)
class ConeBeamRun:
    """An acquisition of a cone-beam system: dGy.cm2, kV, mA, mA.s and its start. None is not
    written."""

    dap: float | None = 0.3
    kvp: float | None = 90
    current: float | None = 8
    exposure: float | None = 72
    started: datetime | None = None


def cone_beam_volume(
    sop_class: str = CRANIOFACIAL,
    runs: Sequence[ConeBeamRun] = (ConeBeamRun(),),
    *,
    whole: float | None = None,
    event_uid: str | list[str] | None = None,
    acquisition_uid: str | None = None,
    key: str = "cone-beam",
    study: Study | None = None,
    series: int = 1,
    number: int = 1,
    **attributes: Any,
) -> Dataset:
    """Return a volume with one item of X-Ray 3D Acquisition Sequence (0018,9507) for each run.

    whole: the dose area product of the object itself, in dGy.cm2. attributes: by DICOM keyword;
    they override everything else."""
    study = study or Study(description="CBCT")
    ds = image(
        sop_class,
        "XA" if sop_class == ANGIOGRAPHIC else "CT",
        key=key,
        patient=None,
        study=study,
        system=System(),
        acquired=study.started + timedelta(minutes=4),
        image_type=("ORIGINAL", "PRIMARY", "VOLUME", "NONE"),
        series=str(series),
        series_number=series,
        number=number,
        description="CBCT",
        frames=2,
    )
    put(
        ds,
        ProtocolName="CBCT",
        IrradiationEventUID=event_uid,
        AcquisitionUID=acquisition_uid,
        FrameOfReferenceUID=uid(key, "frame"),
        ImageAndFluoroscopyAreaDoseProduct=decimal(whole),
        XRay3DAcquisitionSequence=[
            nested(
                ImageAndFluoroscopyAreaDoseProduct=decimal(run.dap),
                KVP=decimal(run.kvp),
                XRayTubeCurrentInmA=run.current,
                ExposureInmAs=run.exposure,
                StartAcquisitionDateTime=f"{run.started:%Y%m%d%H%M%S}" if run.started else None,
            )
            for run in runs
        ],
    )
    apply(ds, attributes)
    return ds


def cone_beam_slices(
    dap: float | None = 4.5,
    slices: int = 3,
    *,
    key: str = "dental",
    study: Study | None = None,
    series: int = 1,
    event_uid: str | None = None,
    **attributes: Any,
) -> list[Dataset]:
    """Return the CT images in which a dental cone-beam system writes a volume, each with the dose
    area product of the acquisition in dGy.cm2."""
    study = study or Study(description="CBCT of the jaw")
    made = []
    for number in range(1, slices + 1):
        ds = image(
            CT_IMAGE,
            "CT",
            key=key,
            patient=None,
            study=study,
            system=System(),
            acquired=study.started + timedelta(minutes=4),
            image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
            series=str(series),
            series_number=series,
            number=number,
            description="CBCT",
        )
        put(
            ds,
            KVP="90",
            XRayTubeCurrent="8",
            ExposureTime="9000",
            Exposure="72",
            SliceThickness="0.2",
            IrradiationEventUID=event_uid,
            FrameOfReferenceUID=uid(key, "frame"),
            ImagePositionPatient=["0", "0", decimal(0.2 * number)],
            ImageAndFluoroscopyAreaDoseProduct=decimal(dap),
        )
        apply(ds, attributes)
        made.append(ds)
    return made
