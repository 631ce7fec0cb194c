"""Philips "Dose Info" secondary captures of CT: the header holds the values of the screen, in
Exposure Dose Sequence (0040,030E) with standard and private elements, and as text in Comments on
Radiation Dose (0040,0310)."""

import re

from ..dicom import concepts, dates
from ..dicom.dataset import Dataset, Unreadable, first, items, text
from ..dicom.private import private_text
from ..records import CT_EVENT
from ..records.rows import AccumulatedRow, EventRow, XraySource
from . import header
from .elements import HeaderReader, number, unused_elements
from .extract import Extract
from .kept import Kept
from .rows import by_name, code_value, mark, value_of

_SEQUENCE = "0040,030e"
_ELSCINT = "ELSCINT1"
# "Series #3 PRE KIDNEYS Average CTDIvol=7.2 DLP=196.0", "EVENT=3 DLP=123.4", "Total DLP=1102.4"
_LINE = re.compile(
    r"(?:Series\s*#|EVENT\s*=\s*)(?P<number>\d+)(?P<text>.*?)"
    r"(?:CTDIvol\s*=\s*(?P<ctdi>[\d.]+))?\s*DLP\s*=\s*(?P<dlp>[\d.]+)"
)
_TOTAL = re.compile(r"Total\s+DLP\s*=\s*([\d.]+)", re.IGNORECASE)
_PHANTOMS = {"16": concepts.HEAD_PHANTOM, "32": concepts.BODY_PHANTOM}  # by diameter in cm
# Elements of an item that are read here, besides those that the fields declare.
_TAKEN = frozenset({"0002,0010", "0008,002a", "0018,0060", "0018,1150", "0018,8151", "0020,0011"})


def is_dose_info(dataset: Dataset) -> bool:
    """Return whether a secondary capture of CT carries dose in its header."""
    if (first(dataset, "0008,0060") or "").upper() != "CT":
        return False
    return (
        bool(items(dataset, _SEQUENCE))
        or _LINE.search(text(dataset, "0040,0310") or "") is not None
    )


def extract_dose_info(kept: Kept) -> Extract:
    """Return the irradiation events of a dose screen, and the total. Raises Unreadable if the
    object has no Study Instance UID.
    """
    dataset = kept.dataset
    study = header.study_of(kept)
    if not study["study_instance_uid"]:
        raise Unreadable("the object has no Study Instance UID")
    reader = HeaderReader(dataset)
    reader.taken |= {_SEQUENCE, "0040,0310"}
    comment = text(dataset, "0040,0310") or ""
    study["comment"] = comment or None
    by_series = {found["number"]: found for found in _LINE.finditer(comment)}
    events = [_event(dataset, entry, reader, by_series) for entry in items(dataset, _SEQUENCE)]
    if not events:
        events = [_from_line(found) for found in by_series.values()]
    accumulated: list[AccumulatedRow] = []
    total = number(private_text(dataset, 0x00E1, _ELSCINT, 0x21))
    written = _TOTAL.search(comment)
    if total is None and written:
        total = number(written[1])
    if total is not None:
        accumulated.append({"dlp_total": total})
    unused = reader.unused(header.KNOWN)
    for entry in items(dataset, _SEQUENCE):
        unused += unused_elements(entry, _TAKEN | reader.taken_within)
    return Extract(
        modality="CT",
        study=study,
        equipment=header.equipment_of(dataset, study, []),
        accumulated=accumulated,
        events=events,
        unused=unused,
        made_at=header.content_moment(dataset),
        source="image header",
    )


def _event(
    dataset: Dataset, entry: Dataset, reader: HeaderReader, by_series: dict[str, re.Match[str]]
) -> EventRow:
    row = reader.read_row(CT_EVENT.fields, EventRow, entry)
    dlp = private_text(entry, 0x00E1, _ELSCINT, 0x21)
    if number(dlp):
        row["dlp"] = number(dlp)
    elif dlp is not None:
        mark(row, "dlp", "zero" if number(dlp) == 0 else "no_number", dlp)
    line = by_series.get(first(entry, "0020,0011") or "")
    if line is not None:
        for name, group in (("dlp", "dlp"), ("mean_ctdivol", "ctdi")):
            found = number(line[group])
            if value_of(row, name) is None and found:
                by_name(row)[name] = found
                mark(row, name, "from_comment", line[0].strip())
    milliseconds = number(first(entry, "0018,1150"))
    if milliseconds:
        row["exposure_time"] = milliseconds / 1000
    current = number(first(entry, "0018,8151"))
    rotation = number(
        private_text(entry, 0x01F1, _ELSCINT, 0x27) or private_text(dataset, 0x01F1, _ELSCINT, 0x27)
    )
    source: XraySource = {
        "kvp": number(first(entry, "0018,0060")) or None,
        "xray_tube_current": current / 1000 if current else None,
        "exposure_time_per_rotation": rotation or None,
    }
    if any(value is not None for value in source.values()):
        row["xray_sources"] = [source]
        row["number_of_xray_sources"] = None
    if row.get("pitch_factor") is None:
        row["pitch_factor"] = number(private_text(entry, 0x01F1, _ELSCINT, 0x26)) or None
    # "32 CM": in the item, or once for the whole object.
    phantom = (
        private_text(entry, 0x01E1, _ELSCINT, 0x26)
        or private_text(dataset, 0x01E1, _ELSCINT, 0x26)
        or ""
    )
    known = _PHANTOMS.get(phantom.split(" ")[0])
    if known and row.get("ctdiw_phantom_type") is None:
        row["ctdiw_phantom_type"] = code_value(known)
    try:
        moment = dates.parse_datetime(first(entry, "0008,002a"))
        row["datetime_started"] = moment[0] if moment else None
        if dates.lacks_dot(first(entry, "0008,002a")):
            mark(row, "datetime_started", "time_without_dot", first(entry, "0008,002a"))
    except ValueError:
        mark(row, "datetime_started", "no_date", first(entry, "0008,002a"))
    row["comment"] = None
    return row


def _from_line(found: re.Match[str]) -> EventRow:
    """Return an event that only a line of the comment describes."""
    row: EventRow = {"dlp": number(found["dlp"]), "mean_ctdivol": number(found["ctdi"])}
    words = re.sub(r"\bAverage\b", "", found["text"]).strip(" ,;:")
    row["acquisition_protocol"] = words or None
    for name in ("dlp", "mean_ctdivol"):
        if value_of(row, name) is not None:
            mark(row, name, "from_comment", found[0].strip())
    return row
