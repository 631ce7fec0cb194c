"""How an image came about, by its header: which other images it was computed from, and for what it
is meant. With this, images of one exposure are told from images of several (assemble/)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ..dicom import dates, sop_classes
from ..dicom.codes import code
from ..dicom.dataset import Dataset, first, items, text, values

PROCESSING, PRESENTATION = "processing", "presentation"

# Image Type (0008,0008) from value 2 on, of images that show no exposure of their own. In PS3.3
# C.8.11.7.1.4 and C.8.21.6.1.1: GENERATED_2D, a view computed from tomosynthesis; ADDITION and
# SUBTRACTION, computed from images of two energies or moments. The others are what equipment writes
# for pictures of a leg or spine put together from several exposures, and for the former.
_COMBINED_TYPE = re.compile(
    r"GENERATED_2D|ADDITION|SUBTRACTION|.*(STITCH|COMPOS|PASTED|MOSAIC|RECOMBIN|SYNTHESI[SZ]ED|SYNTHETIC).*"
    r"|[CS]-?VIEW",
    re.IGNORECASE,
)
# Derivation Code Sequence (0008,9215), CID 7203: image stitching, pixel by pixel addition and
# subtraction.
_COMBINED_CODES = frozenset(code(value, "DCM").key for value in ("113090", "113042", "113062"))
# These are computed from the many images of one sweep or rotation, or are those images, which
# Hologic writes as a secondary capture.
_OF_A_SWEEP = (
    sop_classes.TOMOSYNTHESIS_IMAGES
    | sop_classes.SECONDARY_CAPTURES
    | sop_classes.CONE_BEAM_VOLUMES
    | sop_classes.CT_IMAGES
)
# Names that makers give to 2D views computed from tomosynthesis, for images made before the
# standard had a term for them.
_SYNTHESIZED = re.compile(r"\b(C-?VIEW|S-?VIEW|INTELLIGENT 2D|SYNTHESI[SZ]ED)\b", re.IGNORECASE)
_DESCRIPTIONS = ("0008,103e", "0018,1400", "0008,2111")
_INTENTS = {
    "FOR PROCESSING": PROCESSING,
    "FOR PRESENTATION": PRESENTATION,
}


@dataclass(frozen=True)
class Acquisition:
    """What volumes and slices of one cone-beam acquisition have in common if they name no
    irradiation event.

    uid: Acquisition UID, or what stands for it. frame_of_reference: Frame of Reference UID."""

    uid: str | None
    frame_of_reference: str | None


@dataclass(frozen=True)
class ImageOrigin:
    """How an image came about.

    intent: PROCESSING, PRESENTATION, or "" if neither is known. sources: SOP Instance UIDs of the
    images that it was computed from. combined: it was put together or computed from several
    exposures, or from the images of a tomosynthesis sweep, and shows none of its own. of_sweep: it
    is of a class for sweeps. acquired: when its data were acquired, local time, if it says so.
    acquisition: for volumes and slices of cone-beam CT, the acquisition from which they were
    reconstructed."""

    intent: str
    sources: frozenset[str]
    combined: bool
    of_sweep: bool
    acquired: datetime | None
    acquisition: Acquisition | None = None


def origin_of(dataset: Dataset, acquisition: Acquisition | None = None) -> ImageOrigin:
    """Return how the image with this header came about. acquisition: that of a volume."""
    sop_class = first(dataset, "0008,0016") or ""
    own = first(dataset, "0008,0018")
    sources = frozenset(_sources(dataset)) - {own}
    types = values(dataset, "0008,0008")[1:]
    derivations = {
        code(text(entry, "0008,0100") or "", text(entry, "0008,0102") or "").key
        for entry in items(dataset, "0008,9215")
    }
    # What was administered for a nuclear image was administered whatever was computed from it.
    combined = sop_class not in sop_classes.NUCLEAR_IMAGES and bool(
        any(map(_COMBINED_TYPE.fullmatch, types))
        or derivations & _COMBINED_CODES
        or (len(sources) > 1 and sop_class not in _OF_A_SWEEP)
        or (_is_derived_mammogram(dataset) and _is_called_synthesized(dataset))
    )
    return ImageOrigin(
        _intent(dataset, sop_class),
        sources,
        combined,
        sop_class in _OF_A_SWEEP,
        _acquired(dataset),
        acquisition,
    )


def _is_derived_mammogram(dataset: Dataset) -> bool:
    return (first(dataset, "0008,0060") or "").upper() == "MG" and (
        first(dataset, "0008,0008") or ""
    ).upper() == "DERIVED"


def _is_called_synthesized(dataset: Dataset) -> bool:
    return any(_SYNTHESIZED.search(text(dataset, tag) or "") for tag in _DESCRIPTIONS)


def _intent(dataset: Dataset, sop_class: str) -> str:
    written = _INTENTS.get((first(dataset, "0008,0068") or "").upper())
    if written:
        return written
    if sop_class in sop_classes.FOR_PROCESSING | sop_classes.SECONDARY_CAPTURES:
        return PROCESSING
    return PRESENTATION if sop_class in sop_classes.FOR_PRESENTATION else ""


def _sources(dataset: Dataset) -> Iterator[str]:
    """Yield the images named in Source Image Sequence (0008,2112), of the image or of its frames
    (Derivation Image Sequence, 0008,9124)."""
    holders = [dataset]
    for groups in ("5200,9229", "5200,9230"):
        for frame in items(dataset, groups):
            holders += items(frame, "0008,9124")
    for holder in holders:
        for entry in items(holder, "0008,2112"):
            # Some equipment writes the instance's own elements in place of the reference.
            uid = first(entry, "0008,1155") or first(entry, "0008,0018")
            if uid:
                yield uid


def _acquired(dataset: Dataset) -> datetime | None:
    try:
        parsed = dates.parse_datetime(first(dataset, "0008,002a"))
        if parsed is not None:
            return parsed[0]
        day = dates.parse_date(first(dataset, "0008,0022"))
        clock = dates.parse_time(first(dataset, "0008,0032"))
    except ValueError:
        return None
    return datetime.combine(day, clock) if day and clock else None
