"""Projection X-ray images (DX, CR, PX, MG): one exposure from the header of one image (PS3.3
C.8.7.8 X-Ray Acquisition Dose, C.8.11.3 DX Detector, C.8.11.7 Mammography Image and the like).

The objects for processing and for presentation both contain the same exposure: assemble/merge.py
counts it once."""

import re
from datetime import datetime, timedelta
from math import fsum

from ..dicom import concepts, dates
from ..dicom.codes import code
from ..dicom.dataset import Dataset, Unreadable, first, items, text, values
from ..dicom.private import private_text
from ..records import PROJECTION_EVENT
from ..records.rows import CodeValue, EventRow, StudyRow, XrayFilter
from . import header
from .elements import HeaderReader, number
from .extract import Extract, Ignored
from .kept import Kept
from .origin import origin_of
from .pulses import form_values, pulse_rules
from .rows import ByName, by_name, code_value, mark, value_of

# Modality (0008,0060) of the images that this module reads, with the modality type.
MODALITY_TYPES = {"MG": "MG", "DX": "DX", "CR": "DX", "PX": "DX", "IO": "DX", "RG": "DX"}
_FIELDS = PROJECTION_EVENT.fields
_PULSES = pulse_rules(_FIELDS)
_OF_MAMMOGRAPHY = frozenset(
    {
        "average_glandular_dose",
        "compression_thickness",
        "compression_force",
        "paddle",
        "breast_implant_present",
    }
)
# Evidence of an exposure: an image with none of these says nothing about dose.
_DOSE = (
    "dap",
    "average_glandular_dose",
    "entrance_dose",
    "exposure",
    "kvp",
    "exposure_index",
    "relative_xray_exposure",
)
# How each manufacturer calls the number in Relative X-Ray Exposure (0018,1405).
_INDICATORS = (
    ("FUJI", "S"),
    ("KONICA", "S"),
    ("CARESTREAM", "EI"),
    ("KODAK", "EI"),
    ("AGFA", "lgM"),
    ("CANON", "REX"),
    ("SWISSRAY", "DI"),
    ("PHILIPS", "EI"),
    ("SIEMENS", "EXI"),
)
_WHEN = (
    ("0008,0022", "0008,0032", None),
    ("0008,0023", "0008,0033", "Content Date"),
    ("0008,0021", "0008,0031", "Series Date"),
    ("0008,0020", "0008,0030", "Study Date"),
)


def extract_image(kept: Kept) -> Extract:
    """Return the exposure that an image shows. Raises Ignored if it says nothing about dose,
    Unreadable if it is broken.
    """
    dataset = kept.dataset
    of_type = MODALITY_TYPES.get((first(dataset, "0008,0060") or "").upper())
    if of_type is None:
        raise Ignored(
            "no_dose", "The modality that the image states is none whose headers are read."
        )
    study = header.study_of(kept)
    reader = HeaderReader(dataset)
    row = exposure_of(dataset, reader, study, of_type)
    if row is None:
        raise Ignored("no_dose", "The header of this image contains no data on dose or exposure.")
    if not study["study_instance_uid"]:
        raise Unreadable("the object has no Study Instance UID")
    row["acquired_images"] = [uid] if (uid := first(dataset, "0008,0018")) else None
    return Extract(
        modality=of_type,
        study=study,
        equipment=header.equipment_of(dataset, study, []),
        accumulated=[],
        events=[row],
        unused=reader.unused(header.KNOWN),
        made_at=header.content_moment(dataset),
        source="image header",
        origin=origin_of(dataset),
    )


def exposure_of(
    dataset: Dataset, reader: HeaderReader, study: StudyRow, of_type: str
) -> EventRow | None:
    """Return the exposure that a header describes, or None if it says nothing about dose.

    reader: of this header; it notes what was read. study: receives the date if it has none.
    of_type: the modality type."""
    row = reader.read_row(
        _FIELDS, EventRow, skip=frozenset() if of_type == "MG" else _OF_MAMMOGRAPHY
    )
    _acquisition_of_tomosynthesis(dataset, reader, row)
    if not any(value_of(row, name) is not None for name in _DOSE):
        return None
    _filters(dataset, reader, row)
    _started(dataset, row, study)
    _indicator(dataset, row)
    if of_type == "MG":
        _mammography(dataset, reader, row)
    _habits(dataset, row)
    return row


def _acquisition_of_tomosynthesis(dataset: Dataset, reader: HeaderReader, row: EventRow) -> None:
    """Add the exposure data that breast tomosynthesis images hold in X-Ray 3D Acquisition Sequence
    (PS3.3 C.8.21.3.5), or else for each projection below it.
    """
    for entry in items(dataset, "0018,9507")[:1]:
        reader.taken.add("0018,9507")
        whole = by_name(row)
        for name, value in reader.read_row(_FIELDS, EventRow, entry).items():
            whole.setdefault(name, value)
        _sweep(reader, row, items(entry, "0018,9538"))


def _sweep(reader: HeaderReader, row: EventRow, entries: list[Dataset]) -> None:
    """Set what is given for each projection of a sweep alone (Per Projection Acquisition Sequence),
    as with the pulses of a report."""
    if not entries:
        return
    projections = [by_name(reader.read_row(_FIELDS, EventRow, entry)) for entry in entries]
    each: ByName = {}
    for name in (*_PULSES, "exposure_time"):
        values = [found for one in projections if (found := one.get(name)) is not None]
        if row.get(name) is not None or not values:
            continue
        if len(values) < len(entries) and _PULSES.get(name) == "sum":
            mark(row, name, "pulses_missing", f"{len(values)} of {len(entries)} projections")
        else:
            each[f"{name}_values"] = values
    times = each.pop("exposure_time_values", [])
    if len(times) == len(entries):
        row["exposure_time"] = fsum(times)
        mark(row, "exposure_time", "sum", f"{len(times)} projections")
        each["pulse_width_values"] = times
    each |= {"number_of_pulses": float(len(entries))}
    form_values(each, _PULSES)
    each = {name: found for name, found in each.items() if not name.startswith("pulse_width")}
    del each["number_of_pulses"]
    for found in each.pop("marks", ()):
        if found["field"] != "pulse_width":
            mark(row, found["field"], found["mark"], found["raw"])
    by_name(row).update(each)


def _started(dataset: Dataset, row: EventRow, study: StudyRow) -> None:
    """Set the time of the exposure: Acquisition DateTime, or else a marked substitute."""
    try:
        parsed = dates.parse_datetime(first(dataset, "0008,002a"))
    except ValueError:
        parsed = None
    if parsed is not None:
        row["datetime_started"] = parsed[0]
        _note_dot(row, first(dataset, "0008,002a"))
        if isinstance(parsed[1], timedelta) and not study["timezone_offset_from_utc"]:
            study["timezone_offset_from_utc"] = header.offset_text(parsed[1])
        return
    for date_tag, time_tag, name in _WHEN:
        try:
            day, clock = (
                dates.parse_date(first(dataset, date_tag)),
                dates.parse_time(first(dataset, time_tag)),
            )
        except ValueError:
            mark(
                row,
                "datetime_started",
                "no_date",
                f"{first(dataset, date_tag)} {first(dataset, time_tag)}",
            )
            continue
        if day is None or clock is None:
            continue
        row["datetime_started"] = datetime.combine(day, clock)
        if name is not None:
            mark(row, "datetime_started", "other_date", name)
        _note_dot(row, first(dataset, time_tag))
        break
    started = row.get("datetime_started")
    if study["study_date"] is None and started:
        study["study_date"] = started.date()
        if study["study_time"] is None:
            study["study_time"] = started.time()


def _note_dot(row: EventRow, raw: str | None) -> None:
    if dates.lacks_dot(raw):
        mark(row, "datetime_started", "time_without_dot", raw)


def _indicator(dataset: Dataset, row: EventRow) -> None:
    if row.get("relative_xray_exposure") is not None:
        maker = (text(dataset, "0008,0070") or "").upper()
        row["exposure_indicator"] = next(
            (name for start, name in _INDICATORS if maker.startswith(start)), None
        )


# --- filters, in all their spellings ---

_MATERIALS = {
    "AL": concepts.ALUMINIUM, "ALUMINUM": concepts.ALUMINIUM, "ALUMINIUM": concepts.ALUMINIUM,
    "CU": concepts.COPPER, "COPPER": concepts.COPPER, "RH": concepts.RHODIUM, "RHODIUM": concepts.RHODIUM,
    "MO": concepts.MOLYBDENUM, "MOLYBDENUM": concepts.MOLYBDENUM, "AG": concepts.SILVER, "SILVER": concepts.SILVER,
    "SN": concepts.TIN, "TIN": concepts.TIN, "TA": concepts.TANTALUM, "TANTALUM": concepts.TANTALUM,
    "NB": concepts.NIOBIUM, "NIOBIUM": concepts.NIOBIUM, "PB": concepts.LEAD, "LEAD": concepts.LEAD,
    "EU": concepts.EUROPIUM, "EUROPIUM": concepts.EUROPIUM,
}  # fmt: skip
_TYPES = {
    "STRIP": "113650",
    "WEDGE": "113651",
    "BUTTERFLY": "113652",
    "FLAT": "113653",
    "NONE": "111609",
}
_TYPE_WITH_THICKNESS = re.compile(
    r"([A-Z]+)_(\d+(?:\.\d+)?)_?MM", re.IGNORECASE
)  # Siemens: CU_0.2_MM


def _filters(dataset: Dataset, reader: HeaderReader, row: EventRow) -> None:
    """Set the filters from Filter Type (0018,1160), Material (0018,7050), and Thickness Minimum and
    Maximum (0018,7052, 7054).
    """
    reader.taken |= {"0018,1160", "0018,7050", "0018,7052", "0018,7054"}
    materials = _split(dataset, "0018,7050")
    types = values(dataset, "0018,1160")
    spelled = _TYPE_WITH_THICKNESS.fullmatch(types[0]) if len(types) == 1 else None
    if spelled and not materials:
        thickness = float(spelled[2])
        row["xray_filters"] = [
            {
                "material": _material(spelled[1]),
                "thickness_minimum": thickness,
                "thickness_maximum": thickness,
            }
        ]
        return
    count = max(len(materials), 1)
    lowest = _thicknesses(dataset, "0018,7052", count, "xray_filters.thickness_minimum", row)
    highest = _thicknesses(dataset, "0018,7054", count, "xray_filters.thickness_maximum", row)
    kind = types[0] if types else None
    if not materials and kind is None and lowest == highest == [None]:
        return
    of_type = _TYPES.get((kind or "").upper())
    type_code = (
        code_value(code(of_type, "DCM"))
        if of_type
        else code_value(code("", "", kind))
        if kind
        else None
    )
    filters: list[XrayFilter] = []
    for index in range(count):
        low, high = lowest[index], highest[index]
        if low is not None and high is not None and low > high:
            mark(row, "xray_filters", "minimum_above_maximum", f"{low:g} > {high:g}")
            low, high = high, low
        material = _material(materials[index]) if materials else None
        filters.append(
            {
                "type": type_code,
                "material": material,
                "thickness_minimum": low,
                "thickness_maximum": high,
            }
        )
    row["xray_filters"] = filters


def _split(dataset: Dataset, tag: str) -> list[str]:
    # Carestream separates the values with a comma, which CS and DS do not allow; nothing else in
    # them contains one.
    return [
        part.strip() for value in values(dataset, tag) for part in value.split(",") if part.strip()
    ]


def _material(word: str) -> CodeValue:
    known = _MATERIALS.get(word.upper())
    return code_value(known or code("", "", word))


def _thicknesses(
    dataset: Dataset, tag: str, count: int, name: str, row: EventRow
) -> list[float | None]:
    written = _split(dataset, tag)
    found = [number(part) for part in written]
    if not written:
        return [None] * count
    if None in found:
        mark(row, name, "no_number", text(dataset, tag))
    elif len(found) == count:
        return found
    else:
        mark(row, name, "several_values", text(dataset, tag))
    return [None] * count


# --- peculiarities of single manufacturers ---


def _mammography(dataset: Dataset, reader: HeaderReader, row: EventRow) -> None:
    """Read GE Senographe specifics: the comment is the percentage of glandular tissue; a private
    element holds the thickness that is relevant for radiation.
    """
    comment = row.get("comment") or ""
    percent = number(comment.removesuffix("%").strip()) if comment.endswith("%") else None
    if percent is not None and percent <= 100:
        row["percent_fibroglandular_tissue"] = percent
        del row["comment"]
    thickness = number(private_text(dataset, 0x0045, "GEMS_SENO_02", 0x49))
    if thickness:
        row["patient_equivalent_thickness"] = thickness


def _habits(dataset: Dataset, row: EventRow) -> None:
    maker, model = ((text(dataset, tag) or "").upper() for tag in ("0008,0070", "0008,1090"))
    distance = row.get("distance_source_to_detector")
    if (
        "7500" in model
        and maker.startswith(("KODAK", "CARESTREAM"))
        and distance
        and distance < 100
    ):
        # DR 7500 writes decimetres where the standard has millimetres: no detector is 11.5 mm from
        # the tube.
        row["distance_source_to_detector"] = distance * 100
        mark(
            row,
            "distance_source_to_detector",
            "unit_of_maker",
            f"{distance:g} dm",
        )
    if maker.startswith("GE") and model.startswith(("SENOGRAPH DS", "SENOGRAPHE DS")):
        _force_of_senographe_ds(row)
    if maker == "TOSHIBA_MEC" and text(dataset, "0018,1030") is None and text(dataset, "0020,4000"):
        row["acquisition_protocol"] = text(
            dataset, "0020,4000"
        )  # TFD: Image Comments holds the protocol's name
    if (row.get("entrance_dose") or 0) >= 100 and text(dataset, "0040,8302") is None:
        mark(row, "entrance_dose", "rounded", f"{text(dataset, '0040,0302')} dGy")


# IEC 60601-2-45 limits the compression of mammography equipment to 200 N by motor and 300 N by hand.
_STRONGEST, _WEAKEST = 300.0, 10.0


def _force_of_senographe_ds(row: EventRow) -> None:
    """Decide in which unit a Senographe DS writes Compression Force (0018,11A2).

    The manual of OpenREM 0.6.0 says decinewtons; real headers have 30 to 50, which is a compression
    only in newtons. So they are newtons, marked with both readings, unless that is impossible."""
    force = row.get("compression_force")
    if not force:
        return
    if 0 < force <= _STRONGEST:
        words = f"{force:g}: {force:g} N, or {force / 10:g} N if it is in decinewtons"
        mark(row, "compression_force", "unit_in_doubt", words)
    elif _WEAKEST <= force / 10 <= _STRONGEST:
        row["compression_force"] = force / 10
        mark(row, "compression_force", "unit_of_maker", f"{force:g} dN, impossible as {force:g} N")
    else:
        del row["compression_force"]
        words = f"{force:g}: {force:g} N, or {force / 10:g} N if it is in decinewtons"
        mark(row, "compression_force", "impossible", words)
