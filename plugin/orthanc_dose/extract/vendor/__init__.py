"""Deviations of manufacturers from the standard: one module per manufacturer, and one that applies
to all.

`REPORTS` maps the root concepts of the manufacturers' own reports to their readers. `complete`
works on what was read from a dose report: it adds what the manufacturer's own content says, and
marks each value that is not in the report as such."""

from collections.abc import Callable

from ...dicom.sr import Item
from ..extract import Extract
from ..kept import Kept
from . import any_maker, arcadis, philips, siemens

REPORTS: dict[str, Callable[[Item, Kept], Extract]] = {arcadis.ROOT: arcadis.read_arcadis_summary}


def complete_by_maker(found: Extract) -> Extract:
    """Complete the rows of an extract in place, and return the extract."""
    manufacturer = (found.equipment.get("manufacturer") or "").lower()
    if found.modality == "CT":
        if "siemens" in manufacturer:
            siemens.read_modulation(found.events)
        return found
    siemens.read_comments(found.study, found.events)
    if "siemens" in manufacturer and found.modality == "MG":
        siemens.flag_tomosynthesis(found.study, found.equipment, found.events)
    if "philips" in manufacturer:
        philips.complete_philips_events(found.events)
    any_maker.exposure_times(found.events)
    if found.modality != "MG":  # a tomosynthesis sweep
        any_maker.flag_open_rotations(found.events)
    return found


__all__ = ["REPORTS", "complete_by_maker"]
