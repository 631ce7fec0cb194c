"""Volumes of cone-beam CT: X-Ray 3D Angiographic and Craniofacial images (PS3.3 C.8.21), and the CT
images in which dental systems write theirs, with Image and Fluoroscopy Area Dose Product
(0018,115E).

Their dose quantity is the dose area product, as of other projection X-ray, which is also what
reference levels for dental cone-beam CT are given in. So they count as RF if they come from an
angiographic or fluoroscopic system, else as DX. An object is one acquisition, or one for each item
of X-Ray 3D Acquisition Sequence (0018,9507)."""

from ..dicom import concepts, dates
from ..dicom.dataset import Dataset, Unreadable, first, items, values
from ..dicom.sop_classes import CT_IMAGE, XRAY_3D_ANGIOGRAPHIC
from ..records import PROJECTION_EVENT
from ..records.rows import EventRow, StudyRow
from . import header, image
from .elements import HeaderReader, number, unused_elements
from .extract import Extract, Ignored
from .kept import Kept
from .origin import Acquisition, origin_of
from .rows import code_value, mark

_DAP, _EVENT_UID, _ACQUISITIONS, _START = "0018,115e", "0008,3010", "0018,9507", "0018,9516"
# What only the whole object says of several acquisitions: it is of none of them.
_OF_ALL = frozenset({_DAP, _EVENT_UID, "0040,8302", "0040,0302"})
# The elements of a cone-beam CT image that are kept, as there are hundreds of them.
KEPT = frozenset(
    {
        *header.KNOWN,
        *(path[0] for field in PROJECTION_EVENT.fields for path, _ in field.header),
        _ACQUISITIONS,
        _START,
        "0008,0008",
        "0008,0017",
        "0008,0068",
        "0018,1160",
        "0018,7050",
        "0018,7052",
        "0018,7054",
    }
)


def is_cone_beam(dataset: Dataset) -> bool:
    """Return whether a CT image is of a cone-beam system: it states a dose area product, which CT
    images otherwise have no element for."""
    return any((number(first(one, _DAP)) or 0) > 0 for one in _holders(dataset))


def _holders(dataset: Dataset) -> list[Dataset]:
    return [dataset, *items(dataset, _ACQUISITIONS)]


def extract_volume(kept: Kept) -> Extract:
    """Return the acquisitions from which a volume was reconstructed. Raises Ignored if it says
    nothing about dose, Unreadable if it has no Study Instance UID."""
    dataset = kept.dataset
    study = header.study_of(kept)
    of_angiography = first(dataset, "0008,0016") == XRAY_3D_ANGIOGRAPHIC or (
        (first(dataset, "0008,0060") or "").upper() in ("XA", "RF")
    )
    modality = "RF" if of_angiography else "DX"
    taken: set[str] = {_ACQUISITIONS}
    found = [
        row
        for one in _acquisitions(dataset)
        if (row := _exposure(one, study, modality, taken)) is not None
    ]
    if not found:
        raise Ignored("no_dose", "The header of this image contains no data on dose or exposure.")
    if not study["study_instance_uid"]:
        raise Unreadable("the object has no Study Instance UID")
    taken |= header.KNOWN | {_START, _EVENT_UID}
    unused = [item for one in items(dataset, _ACQUISITIONS) for item in unused_elements(one, taken)]
    # Beside the doses of several acquisitions, that of the object is not used.
    lost = _OF_ALL - (
        {_EVENT_UID} if any(row.get("irradiation_event_uid") for row in found) else set()
    )
    unused += unused_elements(dataset, taken - lost if len(found) > 1 else taken)
    return Extract(
        modality=modality,
        study=study,
        equipment=header.equipment_of(dataset, study, []),
        accumulated=[],
        events=found,
        unused=unused,
        made_at=header.content_moment(dataset),
        source="image header",
        origin=origin_of(dataset, _same_acquisition(dataset)),
    )


def _acquisitions(dataset: Dataset) -> list[Dataset]:
    """Return the header of each acquisition: its own item, completed by what the object says."""
    each: list[Dataset] = [
        {tag: value for tag, value in one.items() if value} for one in items(dataset, _ACQUISITIONS)
    ]
    if len(each) < 2:
        return [_both_doses(dataset, one) for one in each] or [dataset]
    if not any(first(one, _DAP) for one in each) and first(dataset, _DAP):
        # Only the object says the dose, of all acquisitions together: they are one exposure.
        same = {
            tag: value
            for tag, value in each[0].items()
            if all(one.get(tag) == value for one in each[1:])
        }
        return [dataset | same]
    uids = values(dataset, _EVENT_UID)
    whole = {tag: value for tag, value in dataset.items() if tag not in _OF_ALL}
    if len(uids) == len(each):
        return [whole | {_EVENT_UID: uid} | one for uid, one in zip(uids, each, strict=True)]
    return [whole | one for one in each]


def _both_doses(dataset: Dataset, one: Dataset) -> Dataset:
    """Return the header of the only acquisition of an object. If both give a dose area product and
    these differ, it has both, so that neither is used."""
    doses = [first(dataset, _DAP), first(one, _DAP)]
    differ = None not in doses and number(doses[0]) != number(doses[1])
    return dataset | one | ({_DAP: "\\".join(filter(None, doses))} if differ else {})


def _exposure(dataset: Dataset, study: StudyRow, modality: str, taken: set[str]) -> EventRow | None:
    flat = {tag: value for tag, value in dataset.items() if tag != _ACQUISITIONS}
    reader = HeaderReader(flat)
    row = image.exposure_of(flat, reader, study, modality)
    taken |= reader.taken
    if row is None:
        return None
    if uid := first(flat, _EVENT_UID):
        row["irradiation_event_uid"] = uid
    _started(flat, row)
    row["irradiation_event_type"] = code_value(concepts.ROTATIONAL_ACQUISITION)
    mark(row, "irradiation_event_type", "derived")
    row["acquired_images"] = [own] if (own := first(flat, "0008,0018")) else None
    return row


def _started(dataset: Dataset, row: EventRow) -> None:
    """Set the start if the acquisition itself has one: Start Acquisition DateTime (0018,9516)."""
    try:
        parsed = dates.parse_datetime(first(dataset, _START))
    except ValueError:
        mark(row, "datetime_started", "no_date", first(dataset, _START))
        return
    if parsed is not None:
        row["datetime_started"] = parsed[0]
        row["marks"] = [
            one
            for one in row.get("marks") or ()
            if (one["field"], one["mark"]) != ("datetime_started", "other_date")
        ]


def _same_acquisition(dataset: Dataset) -> Acquisition:
    """Return what images of one acquisition have in common if they name no irradiation event."""
    uid = first(dataset, "0008,0017")
    if uid is None and first(dataset, "0008,0016") == CT_IMAGE:
        # The slices of a series, whatever time each of them has
        series = (first(dataset, tag) for tag in ("0020,000e", "0020,0012", _DAP))
        uid = "|".join(one or "" for one in series)
    return Acquisition(uid or first(dataset, "0008,0018"), first(dataset, "0020,0052"))
