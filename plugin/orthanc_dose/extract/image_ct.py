"""CT images (PS3.3 C.8.2.1, C.8.15.3): what the slices of a study without a report say about its
irradiation.

An object gives one slice, or one for each of its frames; `events_of` combines the slices of a study
into its irradiation events. CTDIvol is modulated, so it is averaged over the slices. A DLP is used
if the images give one and is never computed: the scanned length is not the irradiated length.

CT images with a dose area product are of cone-beam systems: image_volume.py reads them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import cast

from ..dicom import concepts, dates
from ..dicom.dataset import Dataset, Unreadable, first, items, values
from ..dicom.decimals import exact_mean, without_noise
from ..dicom.private import private_double, private_text
from ..records import CT_EVENT
from ..records.rows import EventRow, XraySource
from . import frames, header, image_volume
from .elements import HeaderReader, number
from .extract import Extract, Ignored
from .kept import Kept
from .rows import by_name, code_value, mark, value_of

_TOSHIBA, _GE_ROWS = "TOSHIBA_MEC_CT3", "GEMS_HELIOS_01"
_LOCALIZER = code_value(concepts.CONSTANT_ANGLE)
# The elements of a slice that are kept: all that this module and `header` read, and no more, since
# a study has hundreds of slices.
_PRIVATE_GROUPS = ("7005", "0019", "0043", "0045")
KEPT = frozenset(
    {
        *header.KNOWN,
        *(path[0] for field in CT_EVENT.fields for path, _ in field.header),
        "0008,0008",
        "0018,0050",
        "0018,0060",
        "0018,1150",
        "0018,1151",
        "0018,8151",
        "0018,9305",
        "0020,0032",
        "0020,1041",
        "0018,0088",
        "0018,0022",
        "0008,9007",
        "0018,9074",
        "0018,9330",
        "0020,9156",
        *(path[-1] for field in CT_EVENT.fields for path, _ in field.header),
    }
)


class Slice(EventRow, total=False):
    """Data of one image: the fields of an event, and values from which the event is computed."""

    _series: str | None
    _acquisition: str | None
    _kvp: float | None
    _current: float | None
    _more_tubes: list[tuple[float | None, float | None]]  # KVP and current of each further tube
    _rotation: float | None
    _z: float | None
    _thickness: float | None
    _localizer: bool


def reduced(dataset: Dataset) -> Dataset:
    """Return the elements of a CT image that are kept."""
    kept = KEPT | image_volume.KEPT if image_volume.is_cone_beam(dataset) else KEPT
    return {
        tag: value for tag, value in dataset.items() if tag in kept or tag[:4] in _PRIVATE_GROUPS
    } | frames.reduced_groups(dataset, kept)


def extract_ct_image(kept: Kept) -> Extract:
    """Return the slices of an image: one, or one for each frame. Raises Ignored if the image says
    nothing about dose, Unreadable if it has no Study Instance UID."""
    dataset = kept.dataset
    if image_volume.is_cone_beam(dataset):
        return image_volume.extract_volume(kept)
    slices = [row for one in frames.headers_of_frames(dataset) if (row := _slice(one)) is not None]
    if not slices:
        raise Ignored("no_dose", "The header of this image contains no data on dose or exposure.")
    study = header.study_of(kept)
    if not study["study_instance_uid"]:
        raise Unreadable("the object has no Study Instance UID")
    return Extract(
        modality="CT",
        study=study,
        equipment=header.equipment_of(dataset, study, []),
        accumulated=[],
        events=[*slices],
        unused=[],
        made_at=header.content_moment(dataset),
        source="computed",
    )


def _slice(dataset: Dataset) -> Slice | None:
    """Return the slice with this header, or None if it says nothing about dose."""
    reader = HeaderReader(dataset)
    row = reader.read_row(CT_EVENT.fields, Slice, skip=frozenset({"scanning_length"}))
    if uid := first(dataset, "0008,3010"):
        # Of several irradiation events that contributed to an image, it counts for the first.
        row["irradiation_event_uid"] = uid
    private = private_double(dataset, 0x7005, _TOSHIBA, 0x63)
    if row.get("mean_ctdivol") is None and private and private > 0:
        row["mean_ctdivol"] = private
    dlp = private_double(dataset, 0x7005, _TOSHIBA, 0x40)
    row["dlp"] = dlp if dlp and dlp > 0 else None
    _geometry_of_makers(dataset, row)
    localizer = "LOCALIZER" in (values(dataset, "0008,9007") or values(dataset, "0008,0008"))
    if localizer:
        row["ct_acquisition_type"] = _LOCALIZER
    kvp = number(first(dataset, "0018,0060")) or None
    if kvp is None and row.get("mean_ctdivol") is None:
        return None
    rotation, per_image = number(first(dataset, "0018,9305")), number(first(dataset, "0018,1150"))
    positions = [number(value) for value in values(dataset, "0020,0032")]
    row |= {
        "_series": first(dataset, "0020,000e"),
        "_acquisition": first(dataset, "0020,9156") or first(dataset, "0020,0012"),
        "_kvp": kvp,
        "_current": _current(dataset),
        # Revolution Time is in s; Exposure Time of the classic CT image is that of one rotation, in
        # ms.
        "_rotation": rotation or (per_image / 1000 if per_image else None),
        "_z": positions[2] if len(positions) == 3 else number(first(dataset, "0020,1041")),
        "_thickness": number(first(dataset, "0018,0050")),
        "_localizer": localizer,
    }
    if tubes := items(dataset, frames.ADDITIONAL_SOURCES):
        row["_more_tubes"] = [
            (number(first(tube, "0018,0060")) or None, _current(tube)) for tube in tubes
        ]
    row["datetime_started"] = _started(dataset)
    return row


def _current(dataset: Dataset) -> float | None:
    """Return the tube current in mA: multi-frame images have it in mA with decimals (0018,9330),
    others in uA (0018,8151) or in whole mA."""
    exact, micro, milli = (
        number(first(dataset, tag)) for tag in ("0018,9330", "0018,8151", "0018,1151")
    )
    return exact or (micro / 1000 if micro else milli) or None


def _geometry_of_makers(dataset: Dataset, row: Slice) -> None:
    """Set pitch and collimation from private elements if the standard's are missing.

    Toshiba: pitch, width of a detector row, a map of the rows in use. GE: pitch as "0.984:1",
    number and width of the rows."""
    ratio = (private_text(dataset, 0x0043, "GEMS_PARM_01", 0x27) or "").partition(":")
    pitch = number(private_text(dataset, 0x7005, _TOSHIBA, 0x23)) or (
        number(ratio[0]) if ratio[2] == "1" else None
    )
    rows = private_text(dataset, 0x7005, _TOSHIBA, 0x09) or ""
    count = float(rows.count("1")) if set(rows) <= {"0", "1"} else None
    width = number(private_text(dataset, 0x7005, _TOSHIBA, 0x08))
    count = count or number(private_text(dataset, 0x0045, _GE_ROWS, 0x01))
    width = width or number(private_text(dataset, 0x0045, _GE_ROWS, 0x02))
    total = without_noise(count * width) if count and width else None
    row["pitch_factor"] = row.get("pitch_factor") or pitch or None
    for name, value in (
        ("nominal_single_collimation_width", width),
        ("nominal_total_collimation_width", total),
    ):
        by_name(row)[name] = value_of(row, name) or value or None


def _started(dataset: Dataset) -> datetime | None:
    try:
        # Frame Acquisition DateTime, or else that of the image
        whole = dates.parse_datetime(first(dataset, "0018,9074") or first(dataset, "0008,002a"))
        if whole is not None:
            return whole[0]
        day, clock = (
            dates.parse_date(first(dataset, "0008,0022")),
            dates.parse_time(first(dataset, "0008,0032")),
        )
    except ValueError:
        return None
    return datetime.combine(day, clock) if day and clock else None


def events_of(slices: Iterable[EventRow]) -> list[EventRow]:
    """Return the irradiation events of a study from its slices.

    Slices are grouped by Irradiation Event UID, or by series and acquisition number if they have
    none. Series without a UID that are reconstructions of the same acquisition (frame of reference,
    acquisition number, tube voltage, first moment) count once."""
    groups: dict[tuple[object, ...], list[Slice]] = defaultdict(list)
    for row in cast("Iterable[Slice]", slices):
        uid = row.get("irradiation_event_uid")
        groups[(uid,) if uid else (None, row["_series"], row["_acquisition"])].append(row)
    found: dict[object, EventRow] = {}
    for key, rows in sorted(groups.items(), key=lambda item: str(item[0])):
        event = _event(rows)
        same = (
            key
            if key[0]
            else (
                event["frame_of_reference_uid"],
                rows[0]["_acquisition"],
                rows[0]["_kvp"],
                event["datetime_started"],
                rows[0]["_localizer"],
            )
        )
        if same[0] is None and same[3] is None and not key[0]:
            same = key  # nothing says that two series are one acquisition
        if same not in found or (event["scanning_length"] or 0) > (
            found[same]["scanning_length"] or 0
        ):
            found[same] = event
    return sorted(
        found.values(),
        key=lambda row: (
            row["datetime_started"] is None,
            row["datetime_started"] or datetime.min,
            row["sop_instance_uid"],
        ),
    )


def _event(rows: list[Slice]) -> EventRow:
    rows = sorted(
        rows, key=lambda row: (row["_z"] is None, row["_z"] or 0.0, row["sop_instance_uid"])
    )
    # The slices' intermediate values are not part of the event.
    event = cast(
        "EventRow", {name: value for name, value in rows[0].items() if not name.startswith("_")}
    )
    marks = list(event.get("marks") or ())
    for row in rows[1:]:
        # A value that one of the images lost to a doubt is missing from the mean.
        marks += [
            one
            for one in row.get("marks") or ()
            if one["mark"] in ("impossible", "implausible") and one not in marks
        ]
    event["marks"] = marks
    event["datetime_started"] = min(
        (started for row in rows if (started := row["datetime_started"])), default=None
    )
    event.setdefault("frame_of_reference_uid", None)
    ctdis = [ctdi for row in rows if (ctdi := row.get("mean_ctdivol")) is not None]
    event["mean_ctdivol"] = exact_mean(ctdis) if ctdis else None
    if len(set(ctdis)) > 1:
        mark(event, "mean_ctdivol", "mean", f"{len(ctdis)} images")
    dlps = sorted({dlp for row in rows if (dlp := row.get("dlp")) is not None})
    event["dlp"] = dlps[0] if len(dlps) == 1 else None
    if len(dlps) > 1:
        mark(event, "dlp", "several_values", " | ".join(f"{value:g}" for value in dlps))
    heights = [row["_z"] for row in rows if row["_z"] is not None]
    event["scanning_length"] = None
    if len(heights) > 1 and not rows[0]["_localizer"]:
        event["scanning_length"] = without_noise(
            max(heights) - min(heights) + (rows[0]["_thickness"] or 0)
        )
        mark(event, "scanning_length", "derived")
    rotations = {row["_rotation"] for row in rows if row["_rotation"]}
    rotation = rotations.pop() if len(rotations) == 1 else None
    tubes = [[(row["_kvp"], row["_current"]) for row in rows]]
    more = [row.get("_more_tubes", []) for row in rows]
    tubes += [
        [of_slice[index] for of_slice in more if index < len(of_slice)]
        for index in range(max(map(len, more)))
    ]
    event["xray_sources"] = [_tube(tube, rotation) for tube in tubes]
    return event


def _tube(slices: list[tuple[float | None, float | None]], rotation: float | None) -> XraySource:
    """Return an X-ray source from its KVP and current in each slice."""
    kvps = {kvp for kvp, _ in slices if kvp}
    currents = [current for _, current in slices if current]
    return {
        "kvp": kvps.pop() if len(kvps) == 1 else None,
        "maximum_xray_tube_current": max(currents, default=None),
        "xray_tube_current": exact_mean(currents) if currents else None,
        "exposure_time_per_rotation": rotation,
    }
