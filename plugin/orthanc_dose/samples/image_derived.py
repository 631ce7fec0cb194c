"""Images that were computed from those of several exposures, each with these: a stitched leg, a 2D
view computed from tomosynthesis, a mammogram recombined from two energies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydicom.dataset import Dataset

from orthanc_dose.samples.document import Study, uid
from orthanc_dose.samples.image_mammography import MAMMOGRAPHY, TOMO_SWEEP, mammography_image
from orthanc_dose.samples.image_parts import decimal, nested
from orthanc_dose.samples.image_radiography import radiography_image


def sources(datasets: Sequence[Dataset]) -> list[Dataset]:
    """Return the items of a Source Image Sequence (0008,2112) that names these images."""
    return [
        nested(ReferencedSOPClassUID=ds.SOPClassUID, ReferencedSOPInstanceUID=ds.SOPInstanceUID)
        for ds in datasets
    ]


def stitched_leg(
    daps: Sequence[float] = (2, 3, 4),
    *,
    named: bool = True,
    image_type: str = "STITCHED",
    key: str = "leg",
) -> list[Dataset]:
    """Return the exposures of a leg, with these dose area products in dGy.cm2, and then the image
    that was put together from them, which states their sum.

    named: it names them in Source Image Sequence. image_type: its Image Type, value 4; "" writes
    none."""
    study = Study(description="Long leg", instance_uid=uid(key, "study"))
    parts = [
        radiography_image(
            number=number,
            study=study,
            key=key,
            event_uid=True,
            ImageAndFluoroscopyAreaDoseProduct=decimal(dap),
        )
        for number, dap in enumerate(daps, 1)
    ]
    whole = radiography_image(
        number=len(daps) + 6,
        study=study,
        key=f"{key}|composed",
        event_uid=False,
        ImageAndFluoroscopyAreaDoseProduct=decimal(sum(daps)),
        ImageType=["DERIVED", "PRIMARY", "", image_type] if image_type else ["DERIVED", "PRIMARY"],
        SourceImageSequence=sources(parts) if named else None,
    )
    return [*parts, whole]


def synthesized_view(
    *, image_type: str = "GENERATED_2D", key: str = "synthesized"
) -> list[Dataset]:
    """Return the projections of a tomosynthesis sweep, and a 2D view that was computed from them
    later, with the dose of the sweep in other digits.

    image_type: value 4 of the view; "" writes none, and its series is called C-View."""
    study = Study(description="Tomosynthesis", instance_uid=uid(key, "study"))
    sweep = mammography_image("hologic-tomo", study=study, key=key)
    view = mammography_image(
        "hologic-dimensions",
        intent="presentation",
        exposure=replace(TOMO_SWEEP, agd=round((TOMO_SWEEP.agd or 0) * 1.04, 2)),
        study=study,
        key=f"{key}|view",
        number=2,
        ImageType=["DERIVED", "PRIMARY", "TOMOSYNTHESIS", image_type]
        if image_type
        else ["DERIVED", "PRIMARY"],
        SeriesDescription=None if image_type else "R CC C-View",
    )
    return [sweep, view]


def contrast_mammogram(*, named: bool = True, key: str = "contrast") -> list[Dataset]:
    """Return the exposures of a contrast-enhanced mammogram with low and with high energy, a second
    apart, and the image that was recombined from them, which states the sum of their doses."""
    study = Study(description="Contrast mammography", instance_uid=uid(key, "study"))
    base = MAMMOGRAPHY["standard"].exposure
    low, high = replace(base, kvp=29, agd=1.36), replace(base, kvp=49, agd=0.44)
    exposures = [
        mammography_image(
            "standard",
            exposure=exposure,
            event_uid=False,
            study=study,
            key=f"{key}|{energy}",
            ImageType=["ORIGINAL", "PRIMARY", "POST_CONTRAST", "", energy],
        )
        for exposure, energy in ((low, "LOW_ENERGY"), (high, "HIGH_ENERGY"))
    ]
    recombined = mammography_image(
        "standard",
        exposure=replace(base, kvp=None, agd=1.8),
        event_uid=False,
        study=study,
        key=f"{key}|recombined",
        ImageType=["DERIVED", "PRIMARY", "POST_CONTRAST", "SUBTRACTION"],
        SourceImageSequence=sources(exposures) if named else None,
    )
    return [*exposures, recombined]
