"""Doubts about the values behind a total are doubts about the total.

A total that was computed over the events takes their marks `impossible` and `implausible`, and one
that reports give takes those of the reports' totals. A sum over events of which one lost an impossible
value is not formed (totals.py marks it `incomplete`); the largest CTDIvol is that of the others, and
marked `impossible` with the value that was left out. Last, totals are checked against their own
limits."""

from typing import cast

from ..dicom import concepts
from ..extract import doubt
from ..extract.modality import canonical_code
from ..extract.rows import mark
from ..records import MODALITIES
from ..records.rows import AccumulatedRow, EventRow, Mark, StudyRow
from .totals import plane_of, side_of

DOUBTS = ("impossible", "implausible")
# Each total with the field of accumulated rows, None if there is none, and that of events.
_OF_TOTALS: dict[str, tuple[str | None, str]] = {
    "dlp_total": ("dlp_total", "dlp"),
    "ctdivol_max": (None, "mean_ctdivol"),
    "effective_dose_total": ("effective_dose_total", "effective_dose"),
    "dap_total": ("dap_total", "dap"),
    "dap_total_a": ("dap_total", "dap"),
    "dap_total_b": ("dap_total", "dap"),
    "dose_rp_total": ("dose_rp_total", "dose_rp"),
    "dose_rp_total_a": ("dose_rp_total", "dose_rp"),
    "dose_rp_total_b": ("dose_rp_total", "dose_rp"),
    "fluoro_dap_total": ("fluoro_dap_total", "dap"),
    "acquisition_dap_total": ("acquisition_dap_total", "dap"),
    "total_fluoro_time": ("total_fluoro_time", "irradiation_duration"),
    "total_number_of_radiographic_frames": ("total_number_of_radiographic_frames", ""),
    "agd_left": ("accumulated_agd.agd", "average_glandular_dose"),
    "agd_right": ("accumulated_agd.agd", "average_glandular_dose"),
    "agd_unspecified": ("accumulated_agd.agd", "average_glandular_dose"),
    "administered_activity_total": (None, "administered_activity"),
}
# Marks of totals that do not come from the reports' totals alone.
_FROM_EVENTS = frozenset({"computed", "given_zero", "incomplete", "overlap"})


def mark_totals(
    totals: StudyRow, modality: str, accumulated: list[AccumulatedRow], events: list[EventRow]
) -> None:
    """Mark the totals of a study whose values are in doubt, in place."""
    if any(map(_is_doubted, accumulated)) or any(map(_is_doubted, events)):
        _pass_on(totals, modality, accumulated, events)
    doubt.check_totals(totals, modality)


def _is_doubted(row: AccumulatedRow | EventRow) -> bool:
    return any(one["mark"] in DOUBTS for one in row.get("marks") or ())


def _pass_on(
    totals: StudyRow, modality: str, accumulated: list[AccumulatedRow], events: list[EventRow]
) -> None:
    """Mark the totals with the doubts about the values behind them, in place."""
    there = {field.name for field in MODALITIES[modality].fields}
    why: dict[str, set[str]] = {}
    for one in totals.get("marks") or ():
        why.setdefault(one["field"], set()).add(one["mark"])
    for name, (given, of_event) in _OF_TOTALS.items():
        if name not in there:
            continue
        found: list[Mark] = []
        for total in accumulated:
            if given is not None and _counts_for(name, total):
                found += _doubts(total.get("marks"), given)
        if given is None or why.get(name, set()) & _FROM_EVENTS or totals.get(name) is None:
            # The reports' totals are not used, but one that was impossible is the reason for that.
            found = [one for one in found if one["mark"] == "impossible"]
            for event in events:
                if _counts_for(name, event):
                    found += _doubts(event.get("marks"), of_event)
        for doubted, raw in dict.fromkeys((one["mark"], one["raw"]) for one in found):
            mark(totals, name, doubted, raw)


def _doubts(marks: list[Mark] | None, field: str) -> list[Mark]:
    return [one for one in marks or () if one["field"] == field and one["mark"] in DOUBTS]


def _counts_for(name: str, row: AccumulatedRow | EventRow) -> bool:
    """Return whether a row is of the plane, the side or the type of irradiation of a total."""
    if name.endswith(("_a", "_b")):
        return (plane_of(row) == concepts.PLANE_B.key) == name.endswith("_b")
    if name.startswith("agd_"):
        return "accumulated_agd" in row or side_of(cast("EventRow", row)) == name[len("agd_") :]
    of_type = canonical_code(cast("EventRow", row).get("irradiation_event_type"))
    if name in ("fluoro_dap_total", "total_fluoro_time"):
        return of_type in (None, concepts.FLUOROSCOPY.key)
    return name != "acquisition_dap_total" or of_type != concepts.FLUOROSCOPY.key
