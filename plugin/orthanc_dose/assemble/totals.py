"""Totals of a study: as the reports give them, or else computed from the irradiation events and
marked as such.

Totals of reports that continue each other are added. If reports share events, only the sum over the
events, each counted once, is correct. A sum over events is only formed if all of them have the
value: part of a dose is a wrong dose."""

from collections import Counter
from typing import cast

from ..dicom import concepts
from ..extract.modality import canonical_code
from ..extract.rows import ByName, R, mark, value_of
from ..records.rows import AccumulatedAgd, AccumulatedRow, CodeValue, EventRow, StudyRow
from ..records.study import CT_EVENTS_BY_TYPE
from .contradictions import (
    agrees,
    check_activity,
    check_parts,
    check_phantoms,
    check_row_totals,
    distinct,
    words,
    written_sum,
)
from .dose_check import reached_limits
from .stated import Stated, set_total, stated_in

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


def _ct(
    totals: ByName, accumulated: list[AccumulatedRow], events: list[EventRow], overlap: bool
) -> None:
    with_dose = [
        row
        for row in events
        if canonical_code(row.get("ct_acquisition_type")) != concepts.CONSTANT_ANGLE.key
        or row.get("dlp") is not None
        or any((m["field"], m["mark"]) == ("dlp", "impossible") for m in row.get("marks") or ())
    ]
    # A total for one phantom is no sum of values for another one.
    comparable = _one_phantom(accumulated, with_dose)
    doses = [row.get("dlp") if comparable else None for row in with_dose]
    set_total(totals, "dlp_total", stated_in(accumulated, "dlp_total", len(events)), doses, overlap)
    check_phantoms(accumulated, totals, with_dose)
    totals["ctdivol_max"] = max(
        (ctdi for row in events if (ctdi := row.get("mean_ctdivol")) is not None), default=None
    )
    effective = stated_in(accumulated, "effective_dose_total", len(events))
    if any(number is not None for number in effective.values):
        set_total(
            totals,
            "effective_dose_total",
            effective,
            [row.get("effective_dose") for row in with_dose],
            overlap,
        )
    totals["dose_check_events"] = sum(any(reached_limits(event).values()) for event in events)
    types = Counter(canonical_code(row.get("ct_acquisition_type")) for row in events)
    totals |= {name: types[code] for name, _, code in CT_EVENTS_BY_TYPE}


def _one_phantom(accumulated: list[AccumulatedRow], events: list[EventRow]) -> bool:
    """Return whether the totals are for the phantom of all events, as far as the report says."""
    of_totals = {canonical_code(row.get("dlp_total_phantom_type")) for row in accumulated} - {None}
    of_events = {canonical_code(row.get("ctdiw_phantom_type")) for row in events} - {None}
    return not of_totals or len(of_totals | of_events) == 1


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
                set_total(
                    totals,
                    name + suffix,
                    stated_in(rows, name),
                    [value_of(row, of_event) for row in plane_events],
                    overlap,
                    others=bool(events),
                )
    # Of a part of a study, all events may be of plane B.
    of_a = bool(rows_a or events_a or not biplane)
    planes = [totals.get(f"dap_total_{one}") for one in "a" * of_a + "b" * biplane]
    known = [value for value in planes if value is not None]
    if len(known) == len(planes):
        totals["dap_total"] = written_sum(known)
    _pass_on_marks(totals, "dap_total")
    if not overlap:
        for suffix, rows, plane_events in (("_a", rows_a, events_a), ("_b", rows_b, events_b)):
            _dose_rp_parts(totals, suffix, rows, plane_events)
        if rows_all is not rows_a and len(known) == len(planes):
            for row in rows_all:
                if (whole := row.get("dap_total")) is not None and not agrees([whole], known):
                    why = words([whole], "Gy.m2", "over the planes", known)
                    mark(totals, "dap_total", "parts_differ", why)
    doses = [
        totals[name]
        for name in ("dose_rp_total_a", "dose_rp_total_b")
        if totals.get(name) is not None
    ]
    totals["dose_rp_total"] = max(doses, default=None)
    _pass_on_marks(totals, "dose_rp_total")


def _dose_rp_parts(
    totals: ByName, suffix: str, rows: list[AccumulatedRow], events: list[EventRow]
) -> None:
    """Compare the dose at reference point of a plane with that of fluoroscopy and of acquisitions,
    and these with their events."""
    kinds = _by_kind(events)
    parts: list[tuple[str, float | None, bool]] = []
    for kind in ("fluoro", "acquisition"):
        name = f"{kind}_dose_rp_total"
        given = [number for row in rows if (number := value_of(row, name)) is not None]
        parts.append((kind, written_sum(given) if len(given) == len(rows) > 0 else None, True))
        if kinds is not None and events:
            check_row_totals(rows, name, "Gy", [row.get("dose_rp") for row in kinds[kind]])
    check_parts(totals, f"dose_rp_total{suffix}", "Gy", parts)
    if kinds is not None and events:
        durations = [row.get("irradiation_duration") for row in kinds["acquisition"]]
        check_row_totals(rows, "total_acquisition_time", "s", durations)


def _by_kind(events: list[EventRow]) -> dict[str, list[EventRow]] | None:
    """Return the events of fluoroscopy and the acquisitions; None if some event is of no kind."""
    kinds: dict[str, list[EventRow]] = {"fluoro": [], "acquisition": []}
    for row in events:
        code = canonical_code(row.get("irradiation_event_type"))
        if code is None:
            return None
        kinds["fluoro" if code == concepts.FLUOROSCOPY.key else "acquisition"].append(row)
    return kinds


def _by_plane(rows: list[R]) -> tuple[list[R], list[R], list[R]]:
    """Return the rows of plane B, those of all planes together, and the others: plane A, the single
    plane, no plane.
    """
    split: dict[str, list[R]] = {_PLANE_B: [], _ALL_PLANES: [], "": []}
    for row in rows:
        split.get(canonical_code(row.get("acquisition_plane")) or "", split[""]).append(row)
    return split[_PLANE_B], split[_ALL_PLANES], split[""]


def plane_of(row: AccumulatedRow | EventRow) -> str | None:
    """Return the code of the plane to which a row belongs; None if it does not say."""
    return canonical_code(row.get("acquisition_plane"))


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
    fits = _parts_fit(rows)
    for name, of_type, of_event in (
        ("fluoro_dap_total", fluoroscopy, "dap"),
        ("acquisition_dap_total", acquisitions, "dap"),
        ("total_fluoro_time", fluoroscopy, "irradiation_duration"),
    ):
        set_total(
            totals,
            name,
            stated_in(rows, name),
            [value_of(row, of_event) for row in of_type],
            overlap,
            others=len(fluoroscopy) + len(acquisitions) == len(events) > 0,
            fits_parts=fits and name != "total_fluoro_time",
        )
    if not overlap:
        _dap_parts(totals, rows)
    _frames(totals, rows, overlap)


def _parts_fit(rows: list[AccumulatedRow]) -> bool:
    """Return whether the DAP of fluoroscopy and of acquisitions, as stated, add up to the total."""
    whole, *parts = (
        [number for row in rows if (number := value_of(row, name)) is not None]
        for name in ("dap_total", "fluoro_dap_total", "acquisition_dap_total")
    )
    return all(parts) and sum(whole) > 0 and agrees(whole, parts[0] + parts[1])


def _dap_parts(totals: ByName, rows: list[AccumulatedRow]) -> None:
    """Compare the DAP total with that of fluoroscopy and of acquisitions."""
    computed = {one["field"] for one in totals.get("marks", ()) if one["mark"] == "computed"}
    parts: list[tuple[str, float | None, bool]] = []
    for kind in ("fluoro", "acquisition"):
        name = f"{kind}_dap_total"
        given = [number for row in rows if (number := value_of(row, name)) is not None]
        stated = written_sum(given) if len(given) == len(rows) > 0 else None
        parts.append((kind, totals.get(name, stated), name not in computed))
    check_parts(totals, "dap_total", "Gy.m2", parts)


def _frames(totals: ByName, rows: list[AccumulatedRow], overlap: bool) -> None:
    given = [
        frames
        for row in rows
        if (frames := row.get("total_number_of_radiographic_frames")) is not None
    ]
    if given and not overlap:
        totals["total_number_of_radiographic_frames"] = written_sum(given)


def _radiography(
    totals: ByName, accumulated: list[AccumulatedRow], events: list[EventRow], overlap: bool
) -> None:
    _projection(totals, accumulated, events, overlap)
    if not overlap:
        _dap_parts(totals, accumulated)
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
    sides = [side_of(row) for row in events]
    kept = set(distinct(accumulated))
    for side in ("left", "right", "unspecified"):
        values, single = [], []
        for place, row in enumerate(accumulated):
            for entry in row.get("accumulated_agd") or ():
                if side_of(entry) == side:
                    values.append(entry.get("agd"))
                    single += [entry.get("agd")] if place in kept else []
        doses = [
            row.get("average_glandular_dose")
            for row, of in zip(events, sides, strict=True)
            if of == side
        ]
        if values or any(dose is not None for dose in doses):
            set_total(
                totals,
                f"agd_{side}",
                Stated(values, single),
                doses,
                overlap,
                others=bool(events) and "unspecified" not in sides,
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
    for row in events:
        check_activity(row)
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
        totals["administered_activity_total"] = written_sum(known) if known else None
    elif known:
        mark(totals, "administered_activity_total", "incomplete")
    if any(row.get("effective_dose") is not None for row in events):
        set_total(
            totals,
            "effective_dose_total",
            Stated([], []),
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
