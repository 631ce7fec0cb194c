"""Totals of a study: as the reports give them, or else computed from the irradiation events and
marked as such.

Totals of reports that continue each other are added. If reports share events, only the sum over the
events, each counted once, is correct. A sum over events is only formed if all of them have the
value: part of a dose is a wrong dose."""

from collections import Counter
from typing import cast

from ..dicom import concepts
from ..dicom.decimals import exact_sum
from ..extract.modality import canonical_code
from ..extract.rows import ByName, R, mark, value_of
from ..records.rows import AccumulatedAgd, AccumulatedRow, CodeValue, EventRow, StudyRow
from ..records.study import CT_EVENTS_BY_TYPE
from .dose_check import reached_limits

_PLANE_B, _ALL_PLANES = concepts.PLANE_B.key, concepts.ALL_PLANES.key
_LEFT = frozenset({concepts.LEFT_BREAST.key, concepts.LEFT.key})
_RIGHT = frozenset({concepts.RIGHT_BREAST.key, concepts.RIGHT.key})


def totals_of_study(
    modality: str, accumulated: list[AccumulatedRow], events: list[EventRow], overlap: bool
) -> StudyRow:
    """Return the totals of a study and their marks.

    accumulated: the rows of all reports that count; events: each event once; overlap: some reports
    share events, so that their totals cannot be added."""
    totals: ByName = {"number_of_events": len(events)}
    if overlap:
        mark(totals, "number_of_events", "overlap")
    _BY_MODALITY[modality](totals, accumulated, events, overlap)
    return cast("StudyRow", totals)


def _total(
    totals: ByName,
    name: str,
    given: list[float | None],
    values: list[float | None],
    overlap: bool,
) -> None:
    """Set one total: the sum of what the reports give, or else of `values`, one per event."""
    reported = (
        exact_sum(number for number in given if number is not None)
        if any(n is not None for n in given)
        else None
    )
    complete = bool(values) and all(number is not None for number in values)
    summed = exact_sum(number for number in values if number is not None) if complete else None
    if reported is not None and not overlap and None not in given:
        if reported == 0 and summed:
            totals[name] = summed
            mark(totals, name, "given_zero", 0)
        else:
            totals[name] = reported
    elif summed is not None:
        totals[name] = summed
        mark(totals, name, "computed")
    elif any(number is not None for number in values) or reported is not None:
        mark(totals, name, "incomplete", None if reported is None else reported)


def _ct(
    totals: ByName, accumulated: list[AccumulatedRow], events: list[EventRow], overlap: bool
) -> None:
    with_dose = [
        row
        for row in events
        if canonical_code(row.get("ct_acquisition_type")) != concepts.CONSTANT_ANGLE.key
        or row.get("dlp") is not None
    ]
    _total(
        totals,
        "dlp_total",
        [row.get("dlp_total") for row in accumulated],
        [row.get("dlp") for row in with_dose],
        overlap,
    )
    totals["ctdivol_max"] = max(
        (ctdi for row in events if (ctdi := row.get("mean_ctdivol")) is not None), default=None
    )
    given = [row.get("effective_dose_total") for row in accumulated]
    if any(number is not None for number in given):
        _total(
            totals,
            "effective_dose_total",
            given,
            [row.get("effective_dose") for row in with_dose],
            overlap,
        )
    totals["dose_check_events"] = sum(any(reached_limits(event).values()) for event in events)
    types = Counter(canonical_code(row.get("ct_acquisition_type")) for row in events)
    totals |= {name: types[code] for name, _, code in CT_EVENTS_BY_TYPE}


def _projection(
    totals: ByName, accumulated: list[AccumulatedRow], events: list[EventRow], overlap: bool
) -> None:
    rows_b, rows_all, rows_a = _by_plane(accumulated)
    if not rows_a and not rows_b:
        rows_a = rows_all
    events_b, events_all, events_a = _by_plane(events)
    events_a += events_all
    biplane = bool(rows_b or events_b)
    for name, of_event in (("dap_total", "dap"), ("dose_rp_total", "dose_rp")):
        for suffix, rows, plane_events in (("_a", rows_a, events_a), ("_b", rows_b, events_b)):
            if rows or plane_events:
                given = [value_of(row, name) for row in rows]
                _total(
                    totals,
                    name + suffix,
                    given,
                    [value_of(row, of_event) for row in plane_events],
                    overlap,
                )
    planes = [totals.get("dap_total_a")] + ([totals.get("dap_total_b")] if biplane else [])
    known = [value for value in planes if value is not None]
    if len(known) == len(planes):
        totals["dap_total"] = exact_sum(known)
    _pass_on_marks(totals, "dap_total")
    doses = [
        totals[name]
        for name in ("dose_rp_total_a", "dose_rp_total_b")
        if totals.get(name) is not None
    ]
    totals["dose_rp_total"] = max(doses, default=None)
    _pass_on_marks(totals, "dose_rp_total")


def _by_plane(rows: list[R]) -> tuple[list[R], list[R], list[R]]:
    """Return the rows of plane B, those of all planes together, and the others: plane A, the single
    plane, no plane.
    """
    split: dict[str, list[R]] = {_PLANE_B: [], _ALL_PLANES: [], "": []}
    for row in rows:
        split.get(canonical_code(row.get("acquisition_plane")) or "", split[""]).append(row)
    return split[_PLANE_B], split[_ALL_PLANES], split[""]


def _pass_on_marks(totals: ByName, name: str) -> None:
    """Copy the marks of the totals per plane to the total over the planes."""
    passed = {
        (m["mark"], m["raw"])
        for m in totals.get("marks", ())
        if m["field"] in (f"{name}_a", f"{name}_b")
    }
    for why, raw in sorted(passed, key=str):
        mark(totals, name, why, raw)


def _fluoroscopy(
    totals: ByName, accumulated: list[AccumulatedRow], events: list[EventRow], overlap: bool
) -> None:
    _projection(totals, accumulated, events, overlap)
    rows = [
        row for row in accumulated if canonical_code(row.get("acquisition_plane")) != _ALL_PLANES
    ] or accumulated
    fluoroscopy = [
        row
        for row in events
        if canonical_code(row.get("irradiation_event_type")) == concepts.FLUOROSCOPY.key
    ]
    acquisitions = [
        row
        for row in events
        if canonical_code(row.get("irradiation_event_type")) not in (None, concepts.FLUOROSCOPY.key)
    ]
    for name, of_type, of_event in (
        ("fluoro_dap_total", fluoroscopy, "dap"),
        ("acquisition_dap_total", acquisitions, "dap"),
        ("total_fluoro_time", fluoroscopy, "irradiation_duration"),
    ):
        _total(
            totals,
            name,
            [value_of(row, name) for row in rows],
            [value_of(row, of_event) for row in of_type],
            overlap,
        )
    _frames(totals, rows, overlap)


def _frames(totals: ByName, rows: list[AccumulatedRow], overlap: bool) -> None:
    given = [
        frames
        for row in rows
        if (frames := row.get("total_number_of_radiographic_frames")) is not None
    ]
    if given and not overlap:
        totals["total_number_of_radiographic_frames"] = exact_sum(given)


def _radiography(
    totals: ByName, accumulated: list[AccumulatedRow], events: list[EventRow], overlap: bool
) -> None:
    _projection(totals, accumulated, events, overlap)
    _frames(totals, accumulated, overlap)


def _mammography(
    totals: ByName, accumulated: list[AccumulatedRow], events: list[EventRow], overlap: bool
) -> None:
    _projection(totals, accumulated, events, overlap)
    for name in (
        "dap_total_a",
        "dap_total_b",
        "dose_rp_total",
        "dose_rp_total_a",
        "dose_rp_total_b",
    ):
        totals.pop(name, None)
    totals["marks"] = [
        m for m in totals.get("marks", ()) if m["field"] in ("dap_total", "number_of_events")
    ]
    by_side: dict[str, list[float | None]] = {"left": [], "right": [], "unspecified": []}
    for row in accumulated:
        for entry in row.get("accumulated_agd") or ():
            by_side[side_of(entry)].append(entry.get("agd"))
    for side, given in by_side.items():
        of_side = [row for row in events if side_of(row) == side]
        doses = [row.get("average_glandular_dose") for row in of_side]
        if given or any(dose is not None for dose in doses):
            _total(
                totals,
                f"agd_{side}",
                given,
                doses,
                overlap,
            )


def side_of(row: EventRow | AccumulatedAgd) -> str:
    """Return the breast, or the side, to which a row belongs: left, right, or unspecified."""
    key = canonical_code(row.get("laterality"))
    return "left" if key in _LEFT else "right" if key in _RIGHT else "unspecified"


def _nuclear(
    totals: ByName, accumulated: list[AccumulatedRow], events: list[EventRow], overlap: bool
) -> None:
    """Set the totals of nuclear medicine, whose reports hold none. Activities are only added within
    one radionuclide, since those of different nuclides mean different things."""
    agents = [
        _name(row.get("radiopharmaceutical_agent")) or row.get("radiopharmaceutical_name")
        for row in events
    ]
    nuclides = {
        canonical_code(row.get("radionuclide")) or _name(row.get("radionuclide")) for row in events
    }
    totals["radiopharmaceuticals"] = "; ".join(dict.fromkeys(filter(None, agents))) or None
    totals["radionuclides"] = (
        "; ".join(dict.fromkeys(filter(None, (_name(row.get("radionuclide")) for row in events))))
        or None
    )
    given = [row.get("administered_activity") for row in events]
    known = [number for number in given if number is not None]
    if len(nuclides) > 1 and len(known) > 1:
        mark(totals, "administered_activity_total", "several_radionuclides")
    elif len(known) == len(given):
        totals["administered_activity_total"] = exact_sum(known) if known else None
    elif known:
        mark(totals, "administered_activity_total", "incomplete")
    if any(row.get("effective_dose") is not None for row in events):
        _total(
            totals,
            "effective_dose_total",
            [],
            [row.get("effective_dose") for row in events],
            overlap,
        )


def _name(code: CodeValue | None) -> str | None:
    return (code["meaning"] or code["value"]) if code else None


_BY_MODALITY = {
    "CT": _ct,
    "RF": _fluoroscopy,
    "DX": _radiography,
    "MG": _mammography,
    "NM": _nuclear,
}
